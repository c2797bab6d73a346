import { startServer } from '../helper.ts'
import { changesOf, createRival, createScenes } from '../rights.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { toRequest, withMail, writes } from './writes.ts'

const server = await startServer(t, { config: withMail })
// The last admin could be neither demoted nor disabled [P55].
await createRows(server.database).role(await server.register('root'), 'admin')
const arrange = createScenes(server)
const { overtake } = await createRival(t, server)

for (const write of writes.filter(({ locks }) => locks !== false)) {
  t.test(`[P55] ${write.route}: a change of rights that commits while the write waits for its locks binds the write`, async t => {
    for (const [what, code] of changesOf(write.refusals)) {
      const scene = await arrange(what)
      const { method, path, ...options } = toRequest(write, scene)
      const { answer, wrote } = await overtake(what, scene, () => server.call(method, path, options))
      t.equal(answer.body?.code, code, what)
      t.notOk(wrote, `${what}: nothing is written`)
    }
  })
}

t.test('[P55] none of the requests above caused an internal error', async t => {
  t.same(server.lines.filter(line => JSON.parse(line).level >= 50), [])
})
