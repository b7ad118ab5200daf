'use strict'

// The package "@binance/connector": a POST has its parameters in the query, no
// body, and a Content-Type of JSON. Soft Staking goes through its signRequest.

const { Spot } = require('@binance/connector')
const { server, talk, one, latest, still, tooLong, withdrawal } = require('./talk')

const algorithms = { rsa: 'RSA', ed25519: 'Ed25519' }
const client = new Spot(server.apiKey, server.secret, {
  baseURL: server.url, privateKey: server.privateKey, privateKeyAlgo: algorithms[server.type]
})

const data = async request => (await request).data
const signed = (path, params) => data(client.signRequest('GET', '/sapi/v1/soft-staking/' + path, params))
const { coin, address, amount, ...rest } = withdrawal

talk({
  ping: () => data(client.ping()),
  time: () => data(client.time()),
  exchangeInfo: () => data(client.exchangeInfo({ symbol: 'BNBUSDT' })),
  systemStatus: () => data(client.systemStatus()),
  restrictions: () => data(client.apiPermissions()),
  account: () => data(client.account({ omitZeroBalances: true })),
  assets: () => data(client.userAsset()),
  oneAsset: () => data(client.userAsset({ asset: 'BNB', needBtcValuation: true })),
  dividends: () => data(client.assetDevidendRecord({ asset: 'BNB', limit: 2 })),
  coins: async () => one(await data(client.coinInfo())),
  address: () => data(client.depositAddress('BNB', { network: 'BSC' })),
  noAddress: () => data(client.depositAddress('SOL')),
  wallets: () => data(client.signRequest('GET', '/sapi/v1/asset/wallet/balance', { quoteAsset: 'USDT' })),
  funding: () => data(client.fundingWallet({ asset: 'BNB' })),
  detail: () => data(client.assetDetail({ asset: 'BNB' })),
  fee: () => data(client.tradeFee({ symbol: 'BNBUSDT' })),
  snapshot: async () => latest(await data(client.accountSnapshot('SPOT'))),
  status: () => data(client.accountStatus()),
  info: () => data(client.signRequest('GET', '/sapi/v1/account/info')),
  price: () => data(client.tickerPrice('BNBUSDT')),
  day: async () => still(await data(client.ticker24hr('BNBUSDT'))),
  trades: () => data(client.myTrades('BNBUSDT')),
  orders: () => data(client.openOrders()),
  list: () => signed('list', {}),
  page: () => signed('list', { current: 2, size: 1 }),
  rewards: () => signed('history/rewardsRecord', {}),
  unknown: () => signed('history/rewardsRecord', { asset: 'NOPE' }),
  tooLong: () => signed('history/rewardsRecord', tooLong),
  off: () => signed('set', { softStaking: false }),
  listOff: () => signed('list', { asset: 'BNB' }),
  on: () => signed('set', { softStaking: true }),
  withdraw: () => data(client.withdraw(coin, address, amount, { ...rest })),
  withdrawAgain: () => data(client.withdraw(coin, address, amount, { ...rest })),
  tooMuch: () => data(client.withdraw(coin, address, 1000000, { ...rest, withdrawOrderId: 'yacht' })),
  withdrawals: () => data(client.withdrawHistory({ coin })),
  deposits: () => data(client.depositHistory())
}, error => error.response?.data)
