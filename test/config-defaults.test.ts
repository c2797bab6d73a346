import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { ConfigSchema } from '../src/config-schema.ts'
import { t } from './tap.ts'

t.test('every default is a value that its key allows', async t => {
  for (const [section, { properties }] of Object.entries(ConfigSchema.properties)) {
    for (const [name, schema] of Object.entries<TSchema>(properties)) {
      if (schema.default !== undefined) t.ok(TypeCompiler.Compile(schema).Check(schema.default), `${section}.${name}`)
    }
  }
})
