#!/usr/bin/env node
/** The command of the installed package: `parley` starts the server, `parley admin list` and the like run what operators need. */
const commands: Record<string, () => Promise<unknown>> = {
  start: () => import('../src/server.ts'),
  admin: () => import('./admin.ts'),
  backup: () => import('./backup.ts'),
  config: () => import('./config.ts'),
  copy: () => import('./copy.ts'),
  database: () => import('./database.ts'),
  prune: () => import('./prune.ts'),
  restore: () => import('./restore.ts'),
  smoke: () => import('./smoke.ts')
}

const [name = 'start'] = process.argv.splice(2, 1)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined
if (command) {
  process.setSourceMapsEnabled(true)
  await command()
} else {
  console.error(`parley: unknown command ${name}; known are ${Object.keys(commands).join(', ')}`)
  process.exitCode = 1
}
