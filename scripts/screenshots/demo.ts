import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from '../root.ts'
import { createActor, type Actor } from '../demo/actor.ts'
import { fullSize } from '../demo/community.ts'
import { makePeople, PASSWORD } from '../demo/people.ts'
import { createRandom } from '../demo/random.ts'

/** The community of all pictures. It has a database of its own, so a demo that runs elsewhere is not disturbed. */
const SEED = 20
/** How many scripted people are online, so that the lists of people are not empty. They say nothing by themselves. */
const COMPANY = 8

export interface StillDemo extends AsyncDisposable {
  url: string
  port: number
  /** Scripted people who are online. */
  company: Actor[]
}

/** Starts the demo as a process of its own, made anew, in which nobody talks. It ends when it is disposed of. */
export async function startStillDemo (): Promise<StillDemo> {
  const file = join(root, 'dist/scripts/demo/main.js')
  const args = [file, '--still', '--fresh', '--quiet', '--seed', String(SEED), '--port', '0']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const ending = new AbortController()
  const company: Actor[] = []
  const stop = async (): Promise<void> => {
    ending.abort()
    await Promise.allSettled(company.map(actor => actor.go()))
    child.kill('SIGTERM')
    await exited
  }
  try {
    const failed = exited.then(() => { throw new Error('the demo did not start') })
    const [line] = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), failed])
    const url = (line as string).trim()
    const people = makePeople(createRandom(SEED).fork('people'), fullSize.people).filter(({ isScripted }) => isScripted).slice(0, COMPANY)
    const random = createRandom(SEED)
    for (const person of people) {
      company.push(createActor({ url, person, random: random.fork(person.email), signal: ending.signal, onFault: console.error }))
    }
    await Promise.all(company.map(actor => actor.come()))
    return { url, port: Number(new URL(url).port), company, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Login { access_token: string, user: { id: string } }

/** Logs in as a visitor of the demo. `call` calls the REST API as them, and rejects if it is refused. */
export async function callAs (url: string, email: string) {
  const { access_token: token, user } = await request<Login>(url, 'POST', '/api/auth/login', {}, { email, password: PASSWORD })
  const headers = { authorization: `Bearer ${token}` }
  return {
    id: user.id,
    call: <T>(method: string, path: string, body?: object): Promise<T> => request<T>(url, method, path, headers, body)
  }
}

async function request<T> (url: string, method: string, path: string, headers: Record<string, string>, body?: object): Promise<T> {
  const content = body && { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(url + path, { method, headers, ...content })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}
