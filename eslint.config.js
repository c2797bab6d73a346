import neostandard from 'neostandard'

/**
 * Imports go one way (ARCHITECTURE.md): a room imports rooms that stand before it, and none that stands after it.
 * `typeOnly`: rooms that it knows by their types only, because the real thing is injected, also where they stand after it.
 */
const rooms = {
  schemas: {},
  store: {},
  broker: { not: ['store'] },
  presence: { not: ['store', 'broker'] },
  services: { typeOnly: ['store', 'broker', 'presence'] },
  connections: { typeOnly: ['store', 'broker', 'presence', 'services', 'requests'] },
  requests: { typeOnly: ['store', 'broker', 'presence'] },
  plugins: { typeOnly: ['store', 'broker', 'presence', 'services'] },
  routes: { typeOnly: ['store', 'broker', 'presence'] },
  metrics: { typeOnly: ['store', 'broker', 'presence', 'services', 'connections', 'requests'] },
  process: { not: ['broker', 'presence', 'services', 'connections', 'requests', 'plugins', 'routes', 'metrics'] }
}
/** Rooms that are free of HTTP and sockets, and count in plain numbers. */
const inner = ['schemas', 'store', 'broker', 'presence', 'services', 'connections', 'requests']

const inFolder = folder => [`**/${folder}`, `**/${folder}/**`]
const prisma = { group: ['**/generated/**', '@prisma/client', '@prisma/client/**'], message: 'Only store/ knows the Prisma client.' }
const importPatterns = '@typescript-eslint/no-restricted-imports'
const top = {
  group: ['**/app.ts', '**/domain.ts', '**/drivers.ts', '**/http.ts', '**/server.ts'],
  message: 'Nothing imports upward.'
}
const outer = [
  { group: ['fastify', '@fastify/*', 'fastify-plugin', 'ws'], message: 'This room is free of HTTP and socket libraries.' },
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
      message: `${room}/ knows ${name}/ by type only: it is injected.`
    })),
    ...inner.includes(room) ? outer : []
  ]
  return { files: [`src/${room}/**/*.ts`], rules: { [importPatterns]: ['error', { patterns }] } }
}

export default [
  ...neostandard({ ts: true, ignores: ['dist', 'data', 'src/generated', '.tap'] }),
  {
    rules: {
      '@stylistic/max-len': ['error', { code: 140, ignoreUrls: true, ignoreTemplateLiterals: false }],
      // Names of the wire and of the database's columns are snake_case.
      camelcase: 'off',
      // It does not see what an event listener changes.
      'no-unmodified-loop-condition': 'off',
      // Facts that belong together share a line.
      '@stylistic/object-property-newline': 'off'
    }
  },
  {
    files: ['src/*.ts'],
    ignores: ['src/server.ts', 'src/app.ts', 'src/domain.ts', 'src/drivers.ts', 'src/http.ts'],
    rules: { [importPatterns]: ['error', { patterns: [prisma, top] }] }
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
        patterns: [prisma, top, { group: Object.keys(rooms).flatMap(inFolder), message: 'errors.ts and config.ts lie under every room.' }]
      }]
    }
  },
  ...Object.entries(rooms).map(([room, rule]) => restrict(room, rule)),
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // A schema and its type have one name; the compiler finds real redeclarations.
      '@typescript-eslint/no-redeclare': 'off'
    }
  }
]
