import type { Config } from '../config-schema.ts'
import { placeOf } from '../connection-url.ts'

/** Prints the address and the drivers of a started server for people; the log lines are for machines. */
export function greet ({ server, database, redis, web }: Config, port: number, workers = 1): void {
  const host = ['*', '0.0.0.0', '::'].includes(server.host) ? 'localhost' : server.host
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const page = web.enabled ? url : `${url}/docs`
  const smoke = port === 8080 ? 'npm run smoke' : `npm run smoke -- ${url}`
  console.log(`
Parley is listening on ${url}
  database  ${database.url === undefined ? `embedded, in ${database.data_dir}` : `PostgreSQL, ${placeOf(database.url)}`}
  bus       ${redis.url === undefined ? 'in this process: a single instance' : `Redis, ${placeOf(redis.url)}`}
  try it    open ${page}, or ${smoke}${workers === 1 ? '' : `\n  workers   ${workers}`}
`)
}
