// A client whose types are made of /v1/openapi.json by openapi-typescript. The test
// compiles it as strictly as can be, runs it against softstake, and compares what it
// prints with what the other client prints.

import createClient from 'openapi-fetch'
import type { components, paths } from './api.js'

type Problem = components['schemas']['Problem']
type Move = components['schemas']['MoveIn']

declare const process: { env: Record<string, string | undefined> }

// Where the server is, a token of the role exchange, and the names of two accounts.
const server = JSON.parse(process.env['SOFTSTAKE_SERVER'] ?? '') as { url: string, token: string, account: string, other: string }
const { account, other } = server

const client = createClient<paths>({ baseUrl: server.url, headers: { Authorization: `Bearer ${server.token}` } })
const stranger = createClient<paths>({ baseUrl: server.url, headers: { Authorization: 'Bearer nobody' } })

// refusal is what a problem says that does not differ from one client to another.
function refusal (problem: Problem | undefined, response: Response): object {
  if (problem === undefined) throw new Error(`${response.url} was not refused: ${response.status}`)
  return { status: problem.status, type: problem.type, field: problem.field ?? '' }
}

// answered is an answer's data, which must be there.
function answered<T> (answer: { data?: T, error?: unknown, response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.url}: ${answer.response.status} ${JSON.stringify(answer.error)}`)
  return answer.data
}

async function open (id: string, key: string): Promise<object> {
  const answer = await client.POST('/v1/accounts', { body: { id, region: 'DE' }, params: { header: { 'Idempotency-Key': key } } })
  const { region } = answered(answer)
  return { status: answer.response.status, region, replayed: answer.response.headers.get('Idempotency-Replayed') ?? '' }
}

async function post (id: string, kind: 'deposit' | 'transfer', moves: Move[]): Promise<object> {
  const answer = await client.POST('/v1/entries', { body: { id, kind, moves } })
  if (answer.error !== undefined) return refusal(answer.error, answer.response)
  if (!('repeated' in answer.data)) throw new Error(`${id} needs approval: ${answer.data.effect}`)
  return { status: answer.response.status, repeated: answer.data.repeated }
}

// pages are the account's changes, read two at a time.
async function pages (): Promise<string[][]> {
  const all: string[][] = []
  let cursor: string | undefined
  do {
    const page = answered(await client.GET('/v1/accounts/{account}/journal', {
      params: { path: { account }, query: cursor === undefined ? { limit: 2 } : { limit: 2, cursor } }
    }))
    all.push(page.items.map(line => `${line.kind} ${line.amount} ${line.asset}`))
    cursor = page.next
  } while (cursor !== undefined)
  return all
}

async function main (): Promise<void> {
  const deposit: Move[] = [{ from: '@custody', to: account, asset: 'BNB', amount: '2.5' }]
  const transfer = (amount: string): Move[] => [{ from: account, to: other, asset: 'BNB', amount }]
  const opened = [await open(account, `${account}-1`), await open(account, `${account}-1`), await open(other, `${account}-2`)]
  const posted = [
    await post(`${account}-d`, 'deposit', deposit), await post(`${account}-d`, 'deposit', deposit),
    // The newest comes first, and of one millisecond the first by ID: so the IDs count down.
    await post(`${account}-t-3`, 'transfer', transfer('0.5')), await post(`${account}-t-2`, 'transfer', transfer('0.25')),
    await post(`${account}-t-1`, 'transfer', transfer('100'))
  ]
  const balances = await client.GET('/v1/accounts/{account}/balances', { params: { path: { account } } })
  // @ts-expect-error: an amount is a string, and no number
  const wrong = await client.POST('/v1/entries', { body: { id: 'x', kind: 'deposit', moves: [{ ...deposit[0], amount: 2.5 }] } })
  const unknown = await client.POST('/v1/accounts', { body: { id: 'x', zone: 'DE' } })
  const used = await client.POST('/v1/accounts', { body: { id: 'x' }, params: { header: { 'Idempotency-Key': `${account}-1` } } })
  const refused = await stranger.GET('/v1/tokens')
  console.log(JSON.stringify({
    opened,
    posted,
    balances: answered(balances).items.map(b => `${b.free} ${b.asset}`),
    limited: Number(balances.response.headers.get('RateLimit-Remaining')) < Number(balances.response.headers.get('RateLimit-Limit')),
    pages: await pages(),
    wrong: refusal(wrong.error, wrong.response),
    unknown: refusal(unknown.error, unknown.response),
    used: refusal(used.error, used.response),
    stranger: refusal(refused.error, refused.response)
  }))
}

await main()
