import { t } from '../tap.ts'
import { config } from './run.ts'

t.test('npm run config prints each value with its source, and beside them the variables without effect', async t => {
  const env = { PARLEY_CONFIG: '/dev/null', SERVER_PORT: '9000', WEBSOCKET_PORT: 'tcp://10.0.0.1:80', METRIC_TOKEN: 'hush' }
  const { code, stdout, stderr } = await config(env)
  t.equal(code, 0)
  t.match(stdout, /^server\.host +\* +default$/m)
  t.match(stdout, /^server\.port +9000 +SERVER_PORT$/m)
  t.match(stdout, /^server\.keep_alive_timeout +72 +default$/m)
  t.match(stderr, /^parley: WEBSOCKET_PORT is ignored: .*enableServiceLinks: false/m)
  t.match(stderr, /^parley: METRIC_TOKEN .*did you mean METRICS_TOKEN\?$/m)
  t.notMatch(stdout + stderr, /hush/)
})
