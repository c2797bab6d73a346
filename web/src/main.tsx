import { ParleyProvider } from '@parley/client/react'
import { render } from 'preact'
import { App } from './app.tsx'
import { parley } from './client.ts'
import { followLogin } from './entry/leaving.ts'
import { install } from './install.ts'
import { startNotifier } from './notify/notifier.ts'
import { startUnreadTitle } from './notify/unread-title.ts'
import './people/notices.tsx'
import { loadText } from './text.ts'
import './theme.ts'

await loadText()
followLogin()
parley.connect()
startUnreadTitle()
startNotifier()
render(<ParleyProvider client={parley}><App /></ParleyProvider>, document.getElementById('app')!)
install()
