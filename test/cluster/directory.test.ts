import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { redis, startServer, type Person, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { settings } from './settings.ts'

const some = (): string => randomUUID().slice(0, 8)

const search = (server: Server, { access_token: token }: Pick<Person, 'access_token'>, query = '') =>
  server.call('GET', `/api/users${query}`, { token })

const find = (server: Server, { access_token: token }: Pick<Person, 'access_token'>, id: string) =>
  server.call('GET', `/api/users/${id}`, { token })

async function isOnline (server: Server, asking: Person, { user }: Pick<Person, 'user'>): Promise<boolean> {
  return (await find(server, asking, user.id)).body.online
}

/** Each name with queries that find it and queries that do not. `M` stands for the mark that tells this test's users from others. */
const names: Array<{ name: string, found: string[], missed: string[] }> = [
  { name: 'M Ännchen Möller', found: ['M', 'M ä', 'M ANN', 'M Annchen mo', 'M A\u0308NN'], missed: ['Ännchen', 'M Annchen x', 'M  A'] },
  { name: 'M Жанна Ёлкина', found: ['M Жан', 'M жанна елкина', 'M ЖАННА Ё'], missed: ['M Zh'] },
  { name: 'M Σίσυφος', found: ['M σισυφοσ', 'M ΣΊΣΥΦΟΣ'], missed: ['M Sis'] },
  { name: 'M Øystein Straße', found: ['M oyst', 'M øystein strasse', 'M ØYSTEIN STRASSE'], missed: ['M stra'] },
  { name: 'M 王小明', found: ['M 王', 'M 王小'], missed: ['M 小'] },
  { name: 'M a_b%c\\d', found: ['M a_', 'M a_b%', 'M a_b%c\\'], missed: ['M a%', 'M _', 'M %', 'M \\'] },
  { name: '  M blank', found: ['M bl', ' M bl ', 'M blank'], missed: ['M lank'] },
  { name: `M ${'x'.repeat(54)}`, found: [`M ${'x'.repeat(54)}`], missed: [`M ${'x'.repeat(55)}`] }
]

const malformed = [
  'limit=0', 'limit=101', 'limit=x', 'limit=', 'extra=1', `query=${'x'.repeat(65)}`, 'query=%00', 'cursor=', 'cursor=x',
  `cursor=${'x'.repeat(513)}`,
  ...['x', `n ${uuidv7()}`, `x ${uuidv7()} ann`, `n ${uuidv7()} a\0`, `n ${uuidv7()} ${'x'.repeat(65)}`, 'n 1 ann']
    .map(key => `cursor=${Buffer.from(key).toString('base64url')}`)
]

for (const [setting, start] of Object.entries(settings)) {
  t.test(`[P46] the directory on ${setting}`, async t => {
    const [a, b] = await start(t, { limits: { directory_requests: 1_000_000 } })
    const { prisma } = a.database
    const ann = await a.register('ann')

    /** Stores accounts with these names, in this order. */
    async function store (names: string[], fields: object = {}): Promise<string[]> {
      const users = names.map(name => ({ id: uuidv7(), name, email: `${randomUUID()}@example.org`, ...fields }))
      await prisma.user.createMany({ data: users })
      return users.map(({ id }) => id)
    }

    async function walk (query: string, limit: number): Promise<Frame[][]> {
      const pages: Frame[][] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const { status, body }: Awaited<ReturnType<typeof search>> =
          await search(b, ann, `?query=${encodeURIComponent(query)}&limit=${limit}${cursor && `&cursor=${cursor}`}`)
        if (status !== 200) throw new Error(JSON.stringify(body))
        pages.push(body.users)
        cursor = body.next_cursor
      }
      return pages
    }

    t.test('a search finds the beginning of a name without regard to case and accents, and no character has a special meaning', async t => {
      const mark = some()
      const ids = await store(names.map(({ name }) => name.replace('M', mark)))
      for (const [i, { name, found, missed }] of names.entries()) {
        for (const query of [...found, ...missed]) {
          const { status, body } = await search(b, ann, `?query=${encodeURIComponent(query.replace('M', mark))}`)
          t.equal(status, 200)
          t.equal(body.users.some(({ id }: Frame) => id === ids[i]), found.includes(query), `${name}: ${query}`)
        }
      }
    })

    t.test('users found by name come first, in order of the name, then those found only by the handle, each once, in pages', async t => {
      const mark = `m${some()}`
      const [third, first, second] = await store([`${mark} c`, `${mark} A`, `${mark} B`])
      const twins = await store([`${mark} d`, `${mark} D`])
      const others = []
      for (const handle of [`${mark}_1`, `${mark}_2`, `${mark}_3`]) {
        const { body } = await a.call('POST', '/api/auth/register', {
          body: { email: `${randomUUID()}@example.org`, name: 'Somebody', password: 'password-of-theirs', handle }
        })
        others.push(body.user.id)
      }
      const all = [first, second, third, ...twins, ...others]
      for (const limit of [1, 2, 3, 5, 7, 100]) {
        const pages = await walk(mark.toUpperCase(), limit)
        t.same(pages.flat().map(({ id }) => id), all, `pages of ${limit}`)
        t.ok(pages.slice(0, -1).every(page => page.length === limit))
      }
      t.same((await walk(`${mark}_2`, 2)).flat().map(({ id }) => id), [others[1]], 'by the handle alone')
    })

    t.test('an answer has id, name, handle, time and online, and nothing else; a user is found by id and by handle', async t => {
      const ben = await b.register(`b${some()}`)
      const { id, name, handle, created_at } = ben.user
      const user = { id, name, handle, created_at, online: false }
      for (const key of [id, id.toUpperCase(), handle!, handle!.toUpperCase()]) {
        t.match(await find(a, ann, key), { status: 200, body: user }, key)
      }
      t.same((await find(a, ann, id)).body, user)
      t.same((await search(a, ann, `?query=${name}`)).body, { users: [user], next_cursor: null })
    })

    t.test('a renamed user is found by the new name and the new handle', async t => {
      const [before, after, handle] = [`b${some()}`, `a${some()}`, `h${some()}`]
      const ben = await a.register(before)
      await a.call('PATCH', '/api/me', { token: ben.access_token, body: { name: after.toUpperCase(), handle } })
      for (const [query, count] of [[before, 0], [after, 1], [handle, 1]] as const) {
        t.equal((await search(b, ann, `?query=${query}`)).body.users.length, count, query)
      }
    })

    t.test('guests, disabled and erased accounts are neither listed nor found', async t => {
      const mark = `g${some()}`
      const [disabled] = await store([mark], { disabledAt: new Date() })
      const { id: guest } = await prisma.user.create({ data: { name: mark } })
      const gone = await a.register(mark)
      t.same((await search(a, ann, `?query=${mark}`)).body.users.map(({ id }: Frame) => id), [gone.user.id])
      await a.call('DELETE', '/api/me', { token: gone.access_token, body: { password: gone.password } })
      for (const query of [mark, 'deleted user']) t.same((await search(a, ann, `?query=${encodeURIComponent(query)}`)).body.users, [])
      for (const key of [disabled!, guest, gone.user.id, gone.user.handle!, uuidv7(), 'nobody_has_this', 'No%20One', 'ab', '%00', '-']) {
        t.match(await find(b, ann, key), { status: 404, body: { code: 'user_not_found' } }, key)
      }
    })

    t.test('a search without a query lists everyone', async t => {
      const ids = (await walk('', 100)).flat().map(({ id }) => id)
      t.equal(new Set(ids).size, ids.length)
      t.equal(ids.length, await prisma.user.count({ where: { email: { not: null }, disabledAt: null } }))
      t.match(await search(a, ann), { status: 200, body: { users: [{ id: ids[0] }] } })
    })

    t.test('a bad page or query is refused, and nobody asks without a token', async t => {
      for (const query of malformed) {
        t.match(await search(a, ann, `?${query}`), { status: 400, body: { code: 'invalid_request' } }, query)
      }
      for (const path of ['', `/${ann.user.id}`]) t.match(await a.call('GET', `/api/users${path}`), { status: 401 })
    })

    t.test('a user is online while they have an authenticated connection, at any instance, in a channel or in none', async t => {
      const ben = await a.register('ben')
      const both = async (online: boolean) => {
        for (const server of [a, b]) await eventually(async () => await isOnline(server, ann, ben) === online)
      }
      const open = await b.connect()
      t.notOk(await isOnline(a, ann, ben), 'a connection that is not authenticated does not count')
      await open.close()
      const one = await b.login(ben)
      await both(true)
      const two = await a.login(ben)
      await two.request({ type: 'join_channel', channel: 'general' })
      await one.close()
      await both(true)
      await two.request({ type: 'leave_channel', channel: 'general' })
      await both(true)
      await two.close()
      await both(false)
    })
  })
}

t.test('[P46] each user has 60 requests a minute, at all instances together', async t => {
  const config = { redis: redis() }
  const a = await startServer(t, { config })
  const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
  const [ann, ben] = [await a.register('ann'), await a.register('ben')]
  const replies = []
  for (let n = 0; n < 61; n++) {
    const server = n % 2 === 0 ? a : b
    replies.push(n % 3 === 0 ? await find(server, ann, ben.user.id) : await search(server, ann, '?query=ben'))
  }
  t.same(replies.map(({ status }) => status), [...Array(60).fill(200), 429])
  t.match(replies.at(-1), { headers: { get: Function }, body: { code: 'rate_limited', retry_after_ms: Number } })
  t.match(await search(b, ben), { status: 200 })
})

t.test('[P46] without users.directory there are no such routes', async t => {
  const server = await startServer(t, { config: { users: { directory: false } } })
  const ann = await server.register('ann')
  for (const { status, body } of [await search(server, ann), await find(server, ann, ann.user.id)]) {
    t.match({ status, body }, { status: 404, body: { code: 'not_found', message: 'Not found' } })
  }
})
