'use strict'

// What the scripts of this folder share. Each asks softstake the same things
// through a client that others wrote, and prints what the client made of the
// answers, as one JSON object: by name the answer, or {"error": …}.

// Where the server is, and by which key: {"url", "apiKey", "secret", "privateKey", "type"}.
const server = JSON.parse(process.env.SOFTSTAKE_SERVER)

// More than three months, which the exchange refuses.
const tooLong = { startTime: Date.now() - 200 * 24 * 3600 * 1000, endTime: Date.now() }

// Where a withdrawal goes. Its name has a space, and its tag what a URL would escape.
const withdrawal = {
  coin: 'BNB',
  network: 'BSC',
  address: '0x94df8b352de7f46f64b01d3666bf6e936e44ce60',
  name: 'my wallet',
  amount: '0.25',
  withdrawOrderId: 'rent-1'
}

// one is the coin of the answer that the tests look at.
const one = coins => coins.filter(c => c.coin === 'BNB')

// latest is the last of an account's daily snapshots, without its day.
const latest = ({ code, snapshotVos }) => ({ code, count: snapshotVos.length, data: snapshotVos.at(-1).data })

// still is a ticker without the times of its day.
const still = ({ openTime, closeTime, ...ticker }) => ticker

// talk makes the calls one after another. reason tells an error's code and message.
async function talk (calls, reason) {
  const told = {}
  for (const [name, call] of Object.entries(calls)) {
    try {
      told[name] = await call()
    } catch (error) {
      told[name] = { error: reason(error) ?? String(error) }
    }
  }
  console.log(JSON.stringify(told))
}

module.exports = { server, talk, one, latest, still, tooLong, withdrawal }
