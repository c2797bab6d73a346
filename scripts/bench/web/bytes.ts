import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../root.ts'

/** Compressed bytes that a browser loads. */
export interface WebBytes {
  /** Scripts of the chat: `main.js`, and all that it imports before it runs. */
  chat: number
  /** What the admin console adds. */
  admin: number
  styles: number
}

/** Reads the sizes of the bundled app, as gzip compresses each file. @throws Error if it is not bundled. */
export function bytesOfWeb (): WebBytes {
  const assets = join(root, 'web/dist/assets')
  const folder = join(assets, readdirSync(assets)[0]!)
  const sizeOf = (name: string): number => statSync(join(folder, `${name}.gz`)).size
  const sum = (names: Iterable<string>): number => [...names].reduce((sum, name) => sum + sizeOf(name), 0)
  const chat = importsOf(folder, 'main.js')
  const console = readdirSync(folder).find(name => /^admin-\w+\.js$/.test(name))
  if (console === undefined) throw new Error('the bundled app has no admin console')
  return { chat: sum(chat), admin: sum([...importsOf(folder, console)].filter(name => !chat.has(name))), styles: sizeOf('main.css') }
}

/** Returns a script with all that it imports statically. */
function importsOf (folder: string, name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found
  found.add(name)
  for (const [, imported] of readFileSync(join(folder, name), 'utf8').matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+)"/g)) {
    importsOf(folder, imported!, found)
  }
  return found
}
