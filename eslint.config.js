import neostandard from 'neostandard'

/**
 * Imports have one direction (ARCHITECTURE.md). A room is a folder of src/; it may import rooms listed before it except those in `not`, and
 * no room listed after it. Of the rooms in `typeOnly`, before or after it, it may import only types, because instances are injected.
 */
const rooms = {
  schemas: {},
  store: {},
  broker: { not: ['store'] },
  presence: { not: ['store', 'broker'] },
  services: { typeOnly: ['store', 'broker', 'presence'] },
  operator: { not: ['broker', 'presence'] },
  connections: { typeOnly: ['store', 'broker', 'presence', 'services', 'requests'] },
  requests: { typeOnly: ['store', 'broker', 'presence'] },
  plugins: { typeOnly: ['store', 'broker', 'presence', 'services'] },
  routes: { typeOnly: ['store', 'broker', 'presence'] },
  metrics: { typeOnly: ['store', 'broker', 'presence', 'services', 'connections', 'requests'] },
  process: { not: ['broker', 'presence', 'services', 'connections', 'requests', 'plugins', 'routes', 'metrics'] },
  testing: {}
}
/** The room that may import everything, and that nothing imports: applications do, in their tests. */
const outermost = 'testing'
/** Rooms that must not use HTTP and socket libraries, and that count in plain numbers instead of in Prometheus metrics. */
const inner = ['schemas', 'store', 'broker', 'presence', 'services', 'connections', 'requests']

const inFolder = folder => [`**/${folder}`, `**/${folder}/**`]
const prisma = { group: ['**/generated/**', '@prisma/client', '@prisma/client/**'], message: 'Only store/ may import the Prisma client.' }
const importPatterns = '@typescript-eslint/no-restricted-imports'
const top = {
  group: ['**/app.ts', '**/domain.ts', '**/drivers.ts', '**/http.ts', '**/server.ts'],
  message: 'Only the wiring itself (app, domain, drivers, http, server) may import the wiring.'
}
const unused = { group: inFolder(outermost), message: 'Only tests import testing/.' }
const outer = [
  { group: ['fastify', '@fastify/*', 'fastify-plugin', 'ws'], message: 'This room must not import HTTP and socket libraries.' },
  { group: ['prom-client'], message: 'This room counts in plain numbers; metrics/ reads them.' }
]

function restrict (room, { not = [], typeOnly = [] }) {
  const names = Object.keys(rooms)
  const later = names.slice(names.indexOf(room) + 1).filter(name => !typeOnly.includes(name))
  const patterns = [
    top,
    ...room === 'store' ? [] : [prisma],
    ...[...not, ...later].map(name => ({ group: inFolder(name), message: `${room}/ must not import ${name}/: imports go one way.` })),
    ...typeOnly.map(name => ({
      group: inFolder(name),
      allowTypeImports: true,
      message: `${room}/ may import only types of ${name}/: its instances are injected.`
    })),
    ...inner.includes(room) ? outer : []
  ]
  return { files: [`src/${room}/**/*.ts`], rules: { [importPatterns]: ['error', { patterns }] } }
}

export default [
  ...neostandard({ ts: true, ignores: ['**/dist', 'data', 'src/generated', 'client/src/generated', 'test/generated', '.tap'] }),
  {
    rules: {
      '@stylistic/max-len': ['error', { code: 140, ignoreUrls: true, ignoreTemplateLiterals: false }],
      // Field names of the protocol and names of result columns in SQL are snake_case.
      camelcase: 'off',
      // The rule does not see that event listeners change variables.
      'no-unmodified-loop-condition': 'off',
      // Properties that belong together may share a line.
      '@stylistic/object-property-newline': 'off'
    }
  },
  {
    files: ['src/*.ts'],
    ignores: ['src/server.ts', 'src/app.ts', 'src/domain.ts', 'src/drivers.ts', 'src/http.ts'],
    rules: { [importPatterns]: ['error', { patterns: [prisma, top, unused] }] }
  },
  {
    files: ['src/server.ts', 'src/app.ts', 'src/domain.ts', 'src/drivers.ts', 'src/http.ts'],
    rules: { [importPatterns]: ['error', { patterns: [unused] }] }
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts', 'src/server.ts'],
    rules: {
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Only config.ts reads the environment.' }]
    }
  },
  {
    files: ['src/errors.ts', 'src/config.ts'],
    rules: {
      [importPatterns]: ['error', {
        patterns: [prisma, top, { group: Object.keys(rooms).flatMap(inFolder), message: 'errors.ts and config.ts must import no room.' }]
      }]
    }
  },
  ...Object.entries(rooms).filter(([room]) => room !== outermost).map(([room, rule]) => restrict(room, rule)),
  {
    files: ['client/src/**/*.ts'],
    ignores: ['client/src/react.ts'],
    rules: {
      [importPatterns]: ['error', { patterns: [{ regex: '^(?!\\./)', message: 'The client has no dependencies.' }] }]
    }
  },
  {
    files: ['client/src/**/*.ts'],
    ignores: ['client/src/clock.ts', 'client/src/testing.ts'],
    rules: {
      'no-restricted-globals': ['error', ...['setTimeout', 'setInterval', 'performance', 'crypto'].map(name =>
        ({ name, message: 'Time and randomness come from the clock [C11].' }))],
      'no-restricted-properties': ['error', ...[['Math', 'random'], ['Date', 'now']].map(([object, property]) =>
        ({ object, property, message: 'Time and randomness come from the clock [C11].' }))]
    }
  },
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // A schema and its type share a name; the compiler finds real redeclarations.
      '@typescript-eslint/no-redeclare': 'off'
    }
  }
]
