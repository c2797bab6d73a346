import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import { asyncApi } from '../src/requests/asyncapi.ts'
import type { OpenApi } from './client-types.ts'
import { configurationPage } from './configuration-page.ts'
import { metricsPage } from './metrics-page.ts'

const BANNER = '// Made by `npm run generate` from docs/openapi.json. Do not edit.\n'

/** Makes the reference pages of docs/, by their paths in the project. `document`: the OpenAPI document of the application. */
export async function referenceFiles (document: OpenApi): Promise<Record<string, string>> {
  return {
    'docs/openapi.json': `${JSON.stringify(document, null, 2)}\n`,
    'docs/asyncapi.json': `${JSON.stringify(asyncApi(), null, 2)}\n`,
    'docs/configuration.md': configurationPage(),
    'docs/metrics.md': await metricsPage(),
    // The tests call the server by these types. They come from another library than those of the client, so each proves the document.
    'test/generated/openapi.ts': BANNER + astToString(await openapiTS(structuredClone(document) as OpenAPI3))
  }
}
