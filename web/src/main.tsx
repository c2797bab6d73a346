import { ParleyProvider } from '@parley/client/react'
import { render } from 'preact'
import { App } from './app.tsx'
import { parley } from './client.ts'
import './people/notices.tsx'
import { loadText } from './text.ts'
import './theme.ts'

await loadText()
parley.connect()
render(<ParleyProvider client={parley}><App /></ParleyProvider>, document.getElementById('app')!)
