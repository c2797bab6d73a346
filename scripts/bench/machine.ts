import { arch, cpus, release, totalmem } from 'node:os'

export type Machine = ReturnType<typeof describeMachine>

export function describeMachine () {
  const cores = cpus()
  return {
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${arch()}`,
    node: process.version
  }
}
