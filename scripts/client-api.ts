import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Application } from 'typedoc'
import { root } from './root.ts'

/** Options of typedoc-plugin-markdown, which typedoc's own types do not know. */
const LAYOUT = {
  hideBreadcrumbs: true,
  hidePageHeader: true,
  outputFileStrategy: 'modules',
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  typeDeclarationFormat: 'table'
}

/** Makes the pages of the client's API from its docstrings, by their paths in the project. @throws Error if typedoc finds a mistake. */
export async function clientApiFiles (): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-client-api-'))
  try {
    const app = await Application.bootstrapWithPlugins({
      plugin: ['typedoc-plugin-markdown'],
      tsconfig: join(root, 'client/tsconfig.json'),
      entryPoints: ['index', 'react', 'testing'].map(name => join(root, 'client/src', `${name}.ts`)),
      outputs: [{ name: 'markdown', path: folder }],
      readme: 'none',
      excludeExternals: true,
      disableSources: true,
      // Types that only others use are shown where they are used.
      validation: { notExported: false },
      // The compiler has checked the types when it built the client.
      skipErrorChecking: true,
      logLevel: 'Warn',
      ...LAYOUT
    })
    const project = await app.convert()
    if (!project || app.logger.hasErrors()) throw new Error('typedoc cannot read the client')
    await app.generateOutputs(project)
    const pages = readdirSync(folder).filter(name => name.endsWith('.md'))
    return Object.fromEntries(pages.map(name => [`docs/client-api/${name}`, readFileSync(join(folder, name), 'utf8')]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
