'use strict'

// The package "binance": it knows Soft Staking, and sends "asset=undefined" for a
// value that was not given. A private key is its secret.

const { MainClient } = require('binance')
const { server, talk, one, latest, still, tooLong, withdrawal } = require('./talk')

const client = new MainClient({ baseUrl: server.url, api_key: server.apiKey, api_secret: server.secret || server.privateKey })

talk({
  ping: () => client.testConnectivity(),
  time: () => client.get('api/v3/time'), // getServerTime() asks the exchange itself
  exchangeInfo: () => client.getExchangeInfo({ symbol: 'BNBUSDT' }),
  systemStatus: () => client.getSystemStatus(),
  restrictions: () => client.getApiKeyPermissions(),
  account: () => client.getAccountInformation({ omitZeroBalances: true }),
  assets: () => client.getUserAsset(),
  oneAsset: () => client.getUserAsset({ asset: 'BNB', needBtcValuation: true }),
  dividends: () => client.getAssetDividendRecord({ asset: 'BNB', limit: 2 }),
  coins: async () => one(await client.getBalances()),
  address: () => client.getDepositAddress({ coin: 'BNB', network: 'BSC' }),
  noAddress: () => client.getDepositAddress({ coin: 'SOL' }),
  wallets: () => client.getWalletBalances({ quoteAsset: 'USDT' }),
  funding: () => client.getFundingAsset({ asset: 'BNB' }),
  detail: () => client.getAssetDetail({ asset: 'BNB' }),
  fee: () => client.getTradeFee({ symbol: 'BNBUSDT' }),
  snapshot: async () => latest(await client.getDailyAccountSnapshot({ type: 'SPOT' })),
  status: () => client.getAccountStatus(),
  info: () => client.getAccountInfo(),
  price: () => client.getSymbolPriceTicker({ symbol: 'BNBUSDT' }),
  day: async () => still(await client.get24hrChangeStatistics({ symbol: 'BNBUSDT' })),
  trades: () => client.getAccountTradeList({ symbol: 'BNBUSDT' }),
  orders: () => client.getOpenOrders(),
  list: () => client.getSoftStakingProductList(),
  page: () => client.getSoftStakingProductList({ current: 2, size: 1 }),
  rewards: () => client.getSoftStakingRewardsHistory(),
  unknown: () => client.getSoftStakingRewardsHistory({ asset: undefined }),
  tooLong: () => client.getSoftStakingRewardsHistory(tooLong),
  off: () => client.setSoftStaking({ softStaking: false }),
  listOff: () => client.getSoftStakingProductList({ asset: 'BNB' }),
  on: () => client.setSoftStaking({ softStaking: true }),
  withdraw: () => client.withdraw(withdrawal),
  withdrawAgain: () => client.withdraw(withdrawal),
  tooMuch: () => client.withdraw({ ...withdrawal, amount: 1000000, withdrawOrderId: 'yacht' }),
  withdrawals: () => client.getWithdrawHistory({ coin: 'BNB' }),
  deposits: () => client.getDepositHistory()
}, error => error.body && { code: error.code, msg: error.message })
