import neostandard from 'neostandard'

/**
 * Imports go one way (ARCHITECTURE.md):
 * schemas, errors ← store | broker | presence ← services ← realtime ← routes, plugins ← app ← server.
 * Per layer: what it must not import at all, and what it may import for its types only, because the real thing is injected.
 */
const layers = {
  schemas: { never: ['store', 'broker', 'presence', 'services', 'realtime', 'routes', 'plugins', 'metrics'] },
  store: { never: ['broker', 'presence', 'services', 'realtime', 'routes', 'plugins', 'metrics'] },
  broker: { never: ['store', 'presence', 'services', 'realtime', 'routes', 'plugins', 'metrics'] },
  presence: { never: ['store', 'broker', 'services', 'realtime', 'routes', 'plugins', 'metrics'] },
  services: { never: ['realtime', 'routes', 'plugins', 'metrics'], typeOnly: ['store', 'broker', 'presence'] },
  realtime: {
    never: ['routes', 'plugins', 'metrics'],
    typeOnly: ['store', 'broker', 'presence'],
    packages: ['fastify', '@fastify/*', 'fastify-plugin', 'ws']
  },
  routes: { never: [] },
  plugins: { never: [] },
  metrics: { never: [] }
}

const inFolder = folder => [`**/${folder}`, `**/${folder}/**`]
const prisma = { group: ['**/generated/**', '@prisma/client', '@prisma/client/**'], message: 'Only store/ knows the Prisma client.' }
const importPatterns = '@typescript-eslint/no-restricted-imports'
const top = { group: ['**/app.ts', '**/server.ts'], message: 'Nobody imports upward.' }

function restrict (folder, { never, typeOnly = [], packages = [] }) {
  const patterns = [
    top,
    ...folder === 'store' ? [] : [prisma],
    ...never.map(name => ({ group: inFolder(name), message: `${folder}/ must not import ${name}/: imports go one way.` })),
    ...typeOnly.map(name => ({
      group: inFolder(name),
      allowTypeImports: true,
      message: `${folder}/ knows ${name}/ by type only: it is injected.`
    })),
    ...packages.length > 0 ? [{ group: packages, message: `${folder}/ is free of HTTP and socket libraries.` }] : [],
    ...never.includes('metrics') ? [{ group: ['prom-client'], message: `${folder}/ counts in plain numbers; metrics/ reads them.` }] : []
  ]
  return { files: [`src/${folder}/**/*.ts`], rules: { [importPatterns]: ['error', { patterns }] } }
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
    ignores: ['src/server.ts'],
    rules: { [importPatterns]: ['error', { patterns: [prisma] }] }
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
        patterns: [prisma, top, { group: Object.keys(layers).flatMap(inFolder), message: 'errors.ts and config.ts lie under every layer.' }]
      }]
    }
  },
  ...Object.entries(layers).map(([folder, rule]) => restrict(folder, rule)),
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
