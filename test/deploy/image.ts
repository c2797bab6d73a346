import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../../scripts/root.ts'

export interface Stage {
  name: string
  /** The folder that stands for `/` in the image. */
  folder: string
  /** WORKDIR, inside `folder`. */
  cwd: string
  env: Record<string, string>
  /** Texts of all other instructions by name: CMD, USER, HEALTHCHECK, … */
  said: Record<string, string>
}

/**
 * Executes the Dockerfile, instruction by instruction, in folders under `place`, with the files that .dockerignore includes. Only
 * `npm ci` does not run: the packages that it would install are linked from this checkout. @returns the last stage.
 */
export function buildImage (place: string): Stage {
  const context = join(place, 'context')
  copyContext(context)
  const stages: Stage[] = []
  for (const [instruction, text] of instructions()) {
    if (instruction === 'FROM') {
      const folder = join(place, `stage-${stages.length}`)
      mkdirSync(folder)
      chmodSync(folder, 0o755)
      stages.push({ name: / AS (\S+)/.exec(text)?.[1] ?? '', folder, cwd: folder, env: {}, said: {} })
      continue
    }
    const stage = stages.at(-1)!
    if (instruction === 'WORKDIR') mkdirSync(stage.cwd = join(stage.folder, text), { recursive: true })
    else if (instruction === 'ENV') for (const pair of text.split(' ')) define(stage, pair)
    else if (instruction === 'COPY') copy(stage, text, stages, context)
    else if (instruction === 'RUN') run(stage, text)
    else stage.said[instruction] = text
  }
  return stages.at(-1)!
}

function instructions (): Array<[string, string]> {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8').replace(/^#.*\n/gm, '').replace(/\\\n\s*/g, '')
  return text.split('\n').filter(Boolean).map(line => {
    const end = line.indexOf(' ')
    return [line.slice(0, end), line.slice(end + 1)]
  })
}

/** Supports only a .dockerignore that excludes everything, then includes paths, and then excludes some of them again. */
function copyContext (context: string): void {
  const [all, ...patterns] = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter(line => line && !line.startsWith('#'))
  if (all !== '*') throw new Error('.dockerignore does not begin with *')
  const paths = (included: boolean) => patterns.filter(pattern => pattern.startsWith('!') === included)
    .map(pattern => join(root, pattern.replace(/^!/, '').replace(/\/$/, '')))
  const excluded = paths(false)
  for (const path of paths(true)) {
    cpSync(path, path.replace(root, context), { recursive: true, filter: source => !excluded.includes(source) })
  }
}

/** Sets an environment variable. An absolute path becomes a path in the stage's folder. */
function define (stage: Stage, pair: string): void {
  const [name, value] = pair.split('=') as [string, string]
  stage.env[name] = value.startsWith('/') ? join(stage.folder, value) : value
}

function copy (stage: Stage, text: string, stages: Stage[], context: string): void {
  const [, from, paths] = /^(?:--from=(\S+) )?(.*)$/.exec(text) as unknown as [string, string | undefined, string]
  const sources = paths.split(' ')
  const target = sources.pop()!
  const base = from === undefined ? context : stages.find(({ name }) => name === from)!.folder
  if (paths === '. .') {
    execFileSync('cp', ['-a', '--remove-destination', `${base}/.`, stage.cwd])
    return
  }
  for (const source of sources) {
    const into = join(stage.cwd, target, target.endsWith('/') ? source.split('/').at(-1)! : '')
    mkdirSync(dirname(into), { recursive: true })
    execFileSync('cp', ['-al', join(base, source), into])
  }
}

function run (stage: Stage, text: string): void {
  if (/^npm ci\b/.test(text)) return install(stage.cwd, text.includes('--omit=dev'))
  // The user `node` exists in the image, not on this machine.
  const command = text.replaceAll(' /', ` ${stage.folder}/`).replace('chown node:node', 'chmod 777')
  const options = { cwd: stage.cwd, env: { PATH: process.env.PATH, ...stage.env }, encoding: 'utf8' } as const
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], options)
  if (status !== 0) throw new Error(`${text}: ${stdout}${stderr}`)
}

/** Hard links share their content with this checkout, so npm's list of installed packages becomes a copy before it is changed. */
function install (folder: string, production: boolean): void {
  execFileSync('cp', ['-al', join(root, 'node_modules'), folder])
  const file = join(folder, 'node_modules/.package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, { dev?: boolean }> }
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    if (!production || !dev) continue
    rmSync(join(folder, path), { recursive: true, force: true })
    delete lock.packages[path]
  }
  rmSync(file)
  writeFileSync(file, JSON.stringify(lock))
}
