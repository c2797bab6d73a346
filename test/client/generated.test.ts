import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { clientApiFiles } from '../../scripts/client-api.ts'
import { clientTypes } from '../../scripts/client-types.ts'
import { root } from '../../scripts/root.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'

t.test('[C13] the types of the client are those of the schemas: if this fails, run `npm run generate`', async t => {
  const { app } = await startServer(t)
  for (const [name, text] of Object.entries(await clientTypes(app.swagger()))) {
    t.equal(readFileSync(join(root, 'client/src/generated', name), 'utf8'), text, name)
  }
})

t.test('docs/client-api is made of the docstrings of the client: if this fails, run `npm run generate`', async t => {
  for (const [path, text] of Object.entries(await clientApiFiles())) t.equal(readFileSync(join(root, path), 'utf8'), text, path)
})
