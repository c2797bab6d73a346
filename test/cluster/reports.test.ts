import { randomUUID } from 'node:crypto'
import type { Client, Frame } from '../client.ts'
import { failure, type Person, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { createPruning } from '../../src/store/pruning.ts'
import { t } from '../tap.ts'
import { settings } from './settings.ts'

const ROUNDS = 8
const PER_MINUTE = 3

type Someone = Client & { person: Person }

/** Makes a channel of ann's, who is on A. ben, the author, and dan, who reports, are on B. */
async function arrange (a: Server, b: Server) {
  const ann: Someone = await a.enter('ann')
  const channel = `c-${randomUUID()}`
  await ann.request({ command: 'create_channel', name: channel })
  await ann.request({ type: 'join_channel', channel })
  const [ben, dan] = [await b.enter('ben', channel), await b.enter('dan', channel)]
  const send = async (): Promise<string> => (await ben.request({ type: 'send_message', channel, message: 'rude' })).data.id
  const report = (id: string): Promise<Frame> => dan.exchange({ command: 'report_message', channel, id })
  return { ann, ben, dan, channel, send, report }
}

type Scene = Awaited<ReturnType<typeof arrange>>

/** What takes a message away while it is reported, and the codes of a report that comes too late. */
const ends: Record<string, { codes: string[], run (server: Server, scene: Scene, id: string): Promise<unknown> }> = {
  'its author deletes it': {
    codes: ['message_not_found'], run: (_, { ben, channel }, id) => ben.request({ command: 'delete_message', channel, id })
  },
  'a moderator deletes it': {
    codes: ['message_not_found'], run: (_, { ann, channel }, id) => ann.request({ command: 'delete_message', channel, id })
  },
  'it is pruned': {
    codes: ['message_not_found'],
    async run ({ database }, { channel }) {
      const { id, lastSeq } = await database.prisma.channel.findUniqueOrThrow({ where: { name: channel } })
      await createPruning(database.prisma).deleteEntries(id, lastSeq)
    }
  },
  'its channel is deleted': {
    // By then the channel may exist anew, without the message and without the reporter.
    codes: ['channel_not_found', 'not_in_channel', 'message_not_found'],
    async run (_, { ann, channel }) {
      await ann.request({ command: 'delete_channel', channel })
      await ann.request({ command: 'create_channel', name: channel })
    }
  }
}

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P49] reports on ${name}`, async t => {
    const [a, b] = await start(t, { limits: { user_reports: PER_MINUTE } })
    const { prisma } = a.database
    const rows = createRows(a.database)
    const stored = (messageId: string) => prisma.report.findMany({ where: { messageId } })
    /** Lets users report again at once. */
    const forget = () => prisma.$executeRaw`UPDATE "Report" SET "createdAt" = "createdAt" - interval '1 minute'`

    for (const [what, { codes, run }] of Object.entries(ends)) {
      t.test(`a report of a message either has its text or is refused, while ${what}`, async t => {
        const scene = await arrange(a, b)
        const outcomes = { reported: 0, refused: 0 }
        for (let round = 0; round < ROUNDS; round++) {
          await scene.dan.request({ type: 'join_channel', channel: scene.channel })
          await scene.ben.request({ type: 'join_channel', channel: scene.channel })
          const id = await scene.send()
          // Which of the two is first depends on the round.
          const both = [() => scene.report(id), () => run(a, scene, id)]
          const [first, second] = round % 2 === 0 ? both : both.reverse()
          const results = await Promise.all([first!(), second!()])
          const reply = results[round % 2] as Frame
          const found = await stored(id)
          if (reply.type === 'success') {
            t.match(found, [{ id: reply.data.report_id, content: 'rude' }])
            outcomes.reported++
          } else {
            t.ok(codes.includes(reply.code), reply.code)
            t.same(found, [])
            outcomes.refused++
          }
          await forget()
        }
        t.comment(outcomes)
      })
    }

    t.test('of several reports of a user at once, one of a message is stored and no more than the limit of a minute', async t => {
      const { dan, channel, send } = await arrange(a, b)
      const token = dan.person.access_token
      const file = (server: Server, id: string) => server.call('POST', `/api/channels/${channel}/messages/${id}/reports`, { token })
      const id = await send()
      const same = await Promise.all([a, b, a, b, a, b].map(server => file(server, id)))
      t.same([...new Set(same.map(({ body }) => body.report_id))], (await stored(id)).map(report => report.id))
      const sent = await Promise.all(Array.from({ length: 6 }, send))
      const replies = await Promise.all(sent.map((id, i) => file(i % 2 === 0 ? a : b, id)))
      t.equal(replies.filter(({ status }) => status === 201).length, PER_MINUTE - 1)
      t.equal(replies.filter(({ status, body }) => status === 429 && body.retry_after_ms > 0).length, 6 - PER_MINUTE + 1)
      t.equal(await prisma.report.count({ where: { reporterId: dan.person.user.id } }), PER_MINUTE)
    })

    t.test('of two settlements at once the first stays, and the other is told', async t => {
      const { ann, channel, send, report } = await arrange(a, b)
      const boss = await b.register('boss')
      await rows.role({ user: boss.user }, 'admin')
      for (let round = 0; round < 3; round++) {
        const id = (await report(await send())).data.report_id
        const settle = (server: Server, { access_token: token }: Person, resolution: string) =>
          server.call('PATCH', `/api/channels/${channel}/reports/${id}`, { token, body: { resolution } })
        const replies = await Promise.all([settle(a, ann.person, 'dismissed'), settle(b, boss, 'removed')])
        t.same(replies.map(({ status }) => status).sort(), [200, 409])
        const { resolution } = replies.find(({ status }) => status === 200)!.body
        t.match(await prisma.report.findUnique({ where: { id } }), { resolution })
        const log = await prisma.moderationLog.findMany({ where: { reason: id } })
        t.match(log, [{ action: `settle_report_${resolution}` }])
        t.equal(log.length, 1)
      }
    })

    t.test('connections of moderators on both instances are told', async t => {
      const { ann, channel, send, report } = await arrange(a, b)
      const [tab, apart, boss] = [await a.login(ann.person), await b.login(ann.person), await b.enter('boss')]
      await rows.role(boss, 'admin')
      const { data } = await report(await send())
      for (const client of [ann, tab, apart, boss]) {
        t.match(await client.expect('report_filed'), { channel, report: { id: data.report_id } })
      }
    })

    t.test('a kick that has committed on one instance refuses a report on the other', async t => {
      const { ann, dan, channel, send, report } = await arrange(a, b)
      const id = await send()
      await ann.request({ command: 'kick_user', channel, user_id: dan.person.user.id })
      t.same(await report(id), failure('not_in_channel'))
    })
  })
}
