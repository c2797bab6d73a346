import { loadConfig } from '../config.ts'
import { ConfigError } from '../config-error.ts'
import { ConfigSchema, type Config } from '../config-schema.ts'
import type { ConfigChange } from './types.ts'

/**
 * Returns the defaults, or what the file `config/websocket.tusk` of the current folder says, with these changes. It reads no environment.
 * A busy machine would make the server refuse connections while its event loop lags, so that limit is off unless it is set here.
 * @throws ConfigError for an unknown key and for a value that a server would not start with.
 */
export function testConfig (change: ConfigChange): Config {
  const env: Record<string, string> = { LIMITS_EVENT_LOOP_DELAY: '0' }
  for (const [section, keys] of Object.entries(change)) {
    const known = (ConfigSchema.properties as Record<string, { properties: object } | undefined>)[section]?.properties ?? {}
    for (const [name, value] of Object.entries(keys)) {
      if (!Object.hasOwn(known, name)) throw new ConfigError(`unknown key ${section}.${name}`)
      if (value !== undefined) env[`${section}_${name}`.toUpperCase()] = String(value)
    }
  }
  return loadConfig(env).config
}
