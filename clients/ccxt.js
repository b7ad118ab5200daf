'use strict'

// The package "ccxt", with its default options: nothing but the host and the key is
// changed. It has the parameters and signature of a POST in its body, and those of a
// withdrawal without any escaping. Soft Staking goes through its request. What it was
// answered it gives with numbers as text.

const ccxt = require('ccxt')
const { server, talk, one, latest, still, tooLong, withdrawal } = require('./talk')

function connect (options) {
  const client = new ccxt.binance({ apiKey: server.apiKey, secret: server.secret || server.privateKey, ...options })
  for (const [name, url] of Object.entries(client.urls.api)) {
    client.urls.api[name] = url.replace(/^https:\/\/[^/]+/, server.url)
  }
  return client
}

// Its words for the exchange's endpoints are asked without its limiter, which waits 12
// seconds for the weight of a snapshot.
const client = connect({})
const raw = connect({ enableRateLimit: false })

const soft = (path, params) => raw.request('soft-staking/' + path, 'sapi', 'GET', params)

talk({
  ping: () => raw.publicGetPing(),
  time: () => raw.publicGetTime(),
  exchangeInfo: () => raw.publicGetExchangeInfo({ symbol: 'BNBUSDT' }),
  systemStatus: () => raw.sapiGetSystemStatus(),
  restrictions: () => raw.sapiGetAccountApiRestrictions(),
  account: () => raw.privateGetAccount({ omitZeroBalances: true }),
  assets: () => raw.sapiV3PostAssetGetUserAsset(),
  oneAsset: () => raw.sapiV3PostAssetGetUserAsset({ asset: 'BNB', needBtcValuation: true }),
  dividends: () => raw.sapiGetAssetAssetDividend({ asset: 'BNB', limit: 2 }),
  coins: async () => one(await raw.sapiGetCapitalConfigGetall()),
  address: () => raw.sapiGetCapitalDepositAddress({ coin: 'BNB', network: 'BSC' }),
  noAddress: () => raw.sapiGetCapitalDepositAddress({ coin: 'SOL' }),
  wallets: () => raw.sapiGetAssetWalletBalance({ quoteAsset: 'USDT' }),
  funding: () => raw.sapiPostAssetGetFundingAsset({ asset: 'BNB' }),
  detail: () => raw.sapiGetAssetAssetDetail({ asset: 'BNB' }),
  fee: () => raw.sapiGetAssetTradeFee({ symbol: 'BNBUSDT' }),
  snapshot: async () => latest(await raw.sapiGetAccountSnapshot({ type: 'SPOT' })),
  status: () => raw.sapiGetAccountStatus(),
  info: () => raw.sapiGetAccountInfo(),
  price: () => raw.publicGetTickerPrice({ symbol: 'BNBUSDT' }),
  day: async () => still(await raw.publicGetTicker24hr({ symbol: 'BNBUSDT' })),
  trades: () => raw.privateGetMyTrades({ symbol: 'BNBUSDT' }),
  orders: () => raw.privateGetOpenOrders(),
  list: () => soft('list', {}),
  page: () => soft('list', { current: 2, size: 1 }),
  rewards: () => soft('history/rewardsRecord', {}),
  unknown: () => soft('history/rewardsRecord', { asset: 'NOPE' }),
  tooLong: () => soft('history/rewardsRecord', tooLong),
  off: () => soft('set', { softStaking: false }),
  listOff: () => soft('list', { asset: 'BNB' }),
  on: () => soft('set', { softStaking: true }),
  withdraw: () => raw.sapiPostCapitalWithdrawApply(withdrawal),
  withdrawAgain: () => raw.sapiPostCapitalWithdrawApply(withdrawal),
  tooMuch: () => raw.sapiPostCapitalWithdrawApply({ ...withdrawal, amount: 1000000, withdrawOrderId: 'yacht' }),
  withdrawals: () => raw.sapiGetCapitalWithdrawHistory({ coin: 'BNB' }),
  deposits: () => raw.sapiGetCapitalDepositHisrec(),

  // Its own words for the same things. loadMarkets, which each calls first, asks for
  // the coins, the pairs, margin and futures.
  markets: async () => Object.keys(await client.loadMarkets()).sort(),
  currency: async () => {
    const { id, type, precision, deposit, withdraw, fee, networks } = (await client.fetchCurrencies()).BNB
    return { id, type, precision, deposit, withdraw, fee, networks: Object.keys(networks) }
  },
  clock: async () => Math.abs(await client.fetchTime() - Date.now()) < 60000,
  health: async () => (await client.fetchStatus()).status,
  balance: async () => (await client.fetchBalance()).BNB,
  sentAgain: async () => {
    const { coin, amount, address, ...rest } = withdrawal
    const { id } = await client.withdraw(coin, Number(amount), address, undefined, rest)
    return { id }
  },
  sent: async () => (await client.fetchWithdrawals('BNB')).map(w => ({ id: w.id, amount: w.amount, status: w.status, address: w.address })),
  sentAll: async () => (await client.fetchWithdrawals()).length,
  received: async () => (await client.fetchDeposits('BNB')).map(d => ({ txid: d.txid, amount: d.amount, status: d.status })),
  receivedAll: async () => (await client.fetchDeposits()).length,
  depositTo: async () => {
    const { currency, address, tag } = await client.fetchDepositAddress('BNB', { network: 'BEP20' })
    return { currency, address, tag }
  },
  ticker: async () => {
    const { symbol, last, open, change, percentage, baseVolume } = await client.fetchTicker('BNB/USDT')
    return { symbol, last, open, change, percentage, baseVolume }
  },
  tickers: async () => Object.keys(await client.fetchTickers()).sort(),
  lastPrices: async () => Object.values(await client.fetchLastPrices()).map(p => [p.symbol, p.price]),
  tradingFee: async () => (await client.fetchTradingFee('BNB/USDT')).taker,
  myTrades: () => client.fetchMyTrades('BNB/USDT'),
  openOrders: () => client.fetchOpenOrders('BNB/USDT')
}, error => {
  const [, body] = /^binance (\{.*\})$/.exec(error.message) ?? []
  return body && JSON.parse(body)
})
