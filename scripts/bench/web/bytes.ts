import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../../root.ts'

const dist = join(root, 'web/dist')

/** Compressed bytes that a browser loads. */
export interface WebBytes {
  /** Scripts of the chat: those without which it shows nothing. */
  chat: number
  /** Scripts that only the admin console needs. */
  admin: number
  styles: number
}

/** Reads the sizes of the bundled app, as gzip compresses each file. @throws Error if it is not bundled. */
export function bytesOfWeb (): WebBytes {
  const chat = scriptsOfChat()
  const folder = dirname(chat[0]!)
  const console = readdirSync(folder).find(name => /^admin-\w+\.js$/.test(name))
  if (console === undefined) throw new Error('the bundled app has no admin console')
  const admin = withImports([join(folder, console)]).filter(script => !chat.includes(script))
  return { chat: gzipped(chat), admin: gzipped(admin), styles: gzipped([join(folder, 'main.css')]) }
}

/** Returns the paths of the scripts without which the chat shows nothing: those of the page's tags, and what they import statically. */
export function scriptsOfChat (): string[] {
  return withImports(namedInPage(/<script[^>]* src="([^"]+)"/g))
}

/** Returns the paths of the scripts that the page asks browsers to load early. */
export function scriptsOfLinks (): string[] {
  return namedInPage(/<link rel="modulepreload" href="([^"]+)"/g)
}

/** Adds up the compressed sizes of these files. */
export function gzipped (files: string[]): number {
  return files.reduce((sum, file) => sum + statSync(`${file}.gz`).size, 0)
}

function namedInPage (address: RegExp): string[] {
  return [...readFileSync(join(dist, 'index.html'), 'utf8').matchAll(address)].map(([, path]) => join(dist, path!))
}

function withImports (paths: string[]): string[] {
  const scripts = new Set(paths)
  // A set shows what is added to it to whoever goes through it.
  for (const script of scripts) {
    const imports = readFileSync(script, 'utf8').matchAll(/(?:\bimport|\bfrom)\s*"(\.[^"]+)"/g)
    for (const [, path] of imports) scripts.add(join(dirname(script), path!))
  }
  return [...scripts]
}
