'use strict'

// The package "ccxt": it has the parameters and signature of a POST in its body,
// and those of a withdrawal without any escaping. Soft Staking goes through its
// request. What it was answered it gives with numbers as text.

const ccxt = require('ccxt')
const { server, talk, tooLong, withdrawal } = require('./talk')

const client = new ccxt.binance({
  apiKey: server.apiKey,
  secret: server.secret || server.privateKey,
  enableRateLimit: false,
  options: { fetchCurrencies: false, fetchMargins: false, fetchMarkets: { types: ['spot'] } } // what is not asked for here
})
for (const [name, url] of Object.entries(client.urls.api)) {
  client.urls.api[name] = url.replace(/^https:\/\/[^/]+/, server.url)
}

const soft = (path, params) => client.request('soft-staking/' + path, 'sapi', 'GET', params)

talk({
  ping: () => client.publicGetPing(),
  time: () => client.publicGetTime(),
  exchangeInfo: () => client.publicGetExchangeInfo({ symbol: 'BNBUSDT' }),
  systemStatus: () => client.sapiGetSystemStatus(),
  restrictions: () => client.sapiGetAccountApiRestrictions(),
  account: () => client.privateGetAccount({ omitZeroBalances: true }),
  assets: () => client.sapiV3PostAssetGetUserAsset(),
  oneAsset: () => client.sapiV3PostAssetGetUserAsset({ asset: 'BNB', needBtcValuation: true }),
  dividends: () => client.sapiGetAssetAssetDividend({ asset: 'BNB', limit: 2 }),
  list: () => soft('list', {}),
  page: () => soft('list', { current: 2, size: 1 }),
  rewards: () => soft('history/rewardsRecord', {}),
  unknown: () => soft('history/rewardsRecord', { asset: 'NOPE' }),
  tooLong: () => soft('history/rewardsRecord', tooLong),
  off: () => soft('set', { softStaking: false }),
  listOff: () => soft('list', { asset: 'BNB' }),
  on: () => soft('set', { softStaking: true }),
  withdraw: () => client.sapiPostCapitalWithdrawApply(withdrawal),
  withdrawAgain: () => client.sapiPostCapitalWithdrawApply(withdrawal),
  tooMuch: () => client.sapiPostCapitalWithdrawApply({ ...withdrawal, amount: 1000000, withdrawOrderId: 'yacht' }),
  withdrawals: () => client.sapiGetCapitalWithdrawHistory({ coin: 'BNB' }),
  deposits: () => client.sapiGetCapitalDepositHisrec(),

  // Its own words for the same things.
  markets: async () => Object.keys(await client.loadMarkets()).sort(),
  balance: async () => (await client.fetchBalance({ omitZeroBalances: true })).BNB,
  sent: async () => (await client.fetchWithdrawals('BNB')).map(w => ({ id: w.id, amount: w.amount, status: w.status, address: w.address })),
  received: async () => (await client.fetchDeposits('BNB')).map(d => ({ txid: d.txid, amount: d.amount, status: d.status }))
}, error => {
  const [, body] = /^binance (\{.*\})$/.exec(error.message) ?? []
  return body && JSON.parse(body)
})
