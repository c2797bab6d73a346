import { once } from 'node:events'
import type { Processes } from './processes.ts'
import type { CrowdPlan, Order, PacePlan, PaceResult, PublishPlan, PublishResult, Reply } from './load/protocol.ts'

export type Generator = ReturnType<typeof startGenerator>

/** Starts the load generator as a process. Each order to it rejects when a connection breaks or is refused. */
export function startGenerator (processes: Processes) {
  const child = processes.start('load/process', { ipc: true })

  async function order<R> (message: Order): Promise<R> {
    const reply = Promise.race([
      once(child.process, 'message') as Promise<[Reply]>,
      child.ended.then(why => { throw new Error(`the load generator ${why}`) })
    ])
    child.process.send(message)
    const [answer] = await reply
    if ('error' in answer) throw new Error(answer.error)
    return answer.result as R
  }

  return {
    /** Resolves when all connections have joined. */
    open: (crowd: Omit<CrowdPlan, 'tokens'>, tokensFile: string | null) => order<{ seconds: number }>({ do: 'open', crowd, tokensFile }),
    publish: (plan: PublishPlan) => order<PublishResult>({ do: 'publish', plan }),
    /** Rejects if a delivery or an ack is missing. */
    pace: (plan: PacePlan) => order<PaceResult>({ do: 'pace', plan }),
    /** Resolves when all connections have joined again. */
    storm: () => order<{ seconds: number }>({ do: 'storm' }),
    drop: () => order<null>({ do: 'drop' }),
    stop: () => child.stop()
  }
}
