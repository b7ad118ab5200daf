// The package "eventsource" listens to /v1/events, until its standard input ends. It
// prints a line of JSON for each connection, with the Last-Event-ID that it sends, and
// for each event. It keeps an ID only of an event that has data.

import { EventSource } from 'eventsource'

const server = JSON.parse(process.env.SOFTSTAKE_SERVER)
const print = what => console.log(JSON.stringify(what))

const source = new EventSource(server.url + '/v1/events', {
  fetch: (url, options) => {
    print({ type: 'connect', id: options.headers['Last-Event-ID'] ?? '' })
    return fetch(url, { ...options, headers: { ...options.headers, Authorization: 'Bearer ' + server.token } })
  }
})
for (const type of ['ready', 'balance', 'reset']) {
  source.addEventListener(type, event => print({ type, id: event.lastEventId, entry: JSON.parse(event.data).entry }))
}
process.stdin.on('end', () => source.close()).resume()
