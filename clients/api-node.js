'use strict'

// The package "binance-api-node": fetch with a connection a request. Soft Staking
// goes through its privateRequest.

const Binance = require('binance-api-node').default
const { server, talk, one, latest, still, tooLong, withdrawal } = require('./talk')

const client = Binance({ httpBase: server.url, apiKey: server.apiKey, apiSecret: server.secret, privateKey: server.privateKey })

const soft = (path, params) => client.privateRequest('GET', '/sapi/v1/soft-staking/' + path, params)
const assets = params => client.privateRequest('POST', '/sapi/v3/asset/getUserAsset', params)

talk({
  ping: async () => (await client.ping()) && {},
  time: async () => ({ serverTime: await client.time() }),
  exchangeInfo: () => client.exchangeInfo({ symbol: 'BNBUSDT' }),
  systemStatus: () => client.publicRequest('GET', '/sapi/v1/system/status'),
  restrictions: () => client.apiRestrictions(),
  account: () => client.accountInfo({ omitZeroBalances: true }),
  assets: () => assets({}),
  oneAsset: () => assets({ asset: 'BNB', needBtcValuation: true }),
  dividends: () => client.privateRequest('GET', '/sapi/v1/asset/assetDividend', { asset: 'BNB', limit: 2 }),
  coins: async () => one(await client.privateRequest('GET', '/sapi/v1/capital/config/getall', {})),
  address: () => client.depositAddress({ coin: 'BNB', network: 'BSC' }),
  noAddress: () => client.depositAddress({ coin: 'SOL' }),
  wallets: () => client.privateRequest('GET', '/sapi/v1/asset/wallet/balance', { quoteAsset: 'USDT' }),
  funding: () => client.privateRequest('POST', '/sapi/v1/asset/get-funding-asset', { asset: 'BNB' }),
  detail: () => client.assetDetail({ asset: 'BNB' }),
  fee: () => client.tradeFee({ symbol: 'BNBUSDT' }),
  snapshot: async () => latest(await client.accountSnapshot({ type: 'SPOT' })),
  status: () => client.privateRequest('GET', '/sapi/v1/account/status', {}),
  info: () => client.privateRequest('GET', '/sapi/v1/account/info', {}),
  price: async () => ({ symbol: 'BNBUSDT', price: (await client.prices({ symbol: 'BNBUSDT' })).BNBUSDT }),
  day: async () => still(await client.dailyStats({ symbol: 'BNBUSDT' })),
  trades: () => client.myTrades({ symbol: 'BNBUSDT' }),
  orders: () => client.openOrders({}),
  list: () => soft('list', {}),
  page: () => soft('list', { current: 2, size: 1 }),
  rewards: () => soft('history/rewardsRecord', {}),
  unknown: () => soft('history/rewardsRecord', { asset: undefined }),
  tooLong: () => soft('history/rewardsRecord', tooLong),
  off: () => soft('set', { softStaking: false }),
  listOff: () => soft('list', { asset: 'BNB' }),
  on: () => soft('set', { softStaking: true }),
  withdraw: () => client.withdraw(withdrawal),
  withdrawAgain: () => client.withdraw({ ...withdrawal, useServerTime: true }),
  tooMuch: () => client.withdraw({ ...withdrawal, amount: 1000000, withdrawOrderId: 'yacht' }),
  withdrawals: () => client.withdrawHistory({ coin: 'BNB' }),
  deposits: () => client.depositHistory()
}, error => error.code && { code: error.code, msg: error.message })
