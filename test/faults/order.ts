import type { Stage } from './scope.ts'
import { startCluster } from './cluster.ts'
import { createReport, type Outcome } from './outcome.ts'

/** Number of sends of one writer that wait for an answer at the same time. */
const WINDOW = 32

/** G4. Writers on two instances send into one channel as fast as they are answered: every client receives one order. */
export async function oneOrder (stage: Stage, { writers, messages }: { writers: number, messages: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report)
  const clients = await cluster.enter(writers * 2, ['room'])
  const each = Math.floor(messages / clients.length)
  const began = performance.now()
  await Promise.all(clients.map(async client => {
    let sent = 0
    await Promise.all(Array.from({ length: WINDOW }, async () => {
      while (sent < each) cluster.ledger.note('room', client.port, await client.send('room', `message ${++sent}`))
    }))
  }))
  report.figure('sent_per_s', each * clients.length / (performance.now() - began) * 1000)
  await cluster.ledger.settle(clients)
  report.equal('acked', cluster.ledger.acked, each * clients.length)
  return report.outcome()
}

/** G5. Two instances get a message with one client id at once: there is one row with one `seq`, and one ack says `duplicate` [P28]. */
export async function idempotence (stage: Stage, { pairs }: { pairs: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report)
  const { ledger, instances: [a, b] } = cluster
  const [here] = await cluster.enter(1, ['room'], [a.port])
  const there = await cluster.join(here!.member, b.port, ['room'])
  const watchers = await cluster.enter(2, ['room'])
  let [differing, firsts] = [0, 0]
  for (let pair = 0; pair < pairs; pair++) {
    const acks = await Promise.all([here!, there].map(client => client.send('room', `message ${pair}`, `pair-${pair}`)))
    acks.forEach((ack, i) => ledger.note('room', [a, b][i]!.port, ack))
    const [one, two] = acks
    if (one!.code !== null || two!.code !== null || one!.seq !== two!.seq || one!.id !== two!.id) differing++
    firsts += acks.filter(ack => ack.code === null && !ack.duplicate).length
  }
  await ledger.settle([here!, there, ...watchers])
  report.equal('differing', differing, 0)
  report.equal('first_of_pair', firsts, pairs)
  report.equal('stored', report.read('stored'), pairs)
  return report.outcome()
}
