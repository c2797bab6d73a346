import { startServer } from '../helper.ts'
import { runSnippets, snippetsOf } from '../snippets.ts'
import { t } from '../tap.ts'

/** The snippets build on each other, as the page does, so they are one module. */
const snippets = snippetsOf('client.md', 'js', 'jsx')

t.test('the snippets of docs/client.md run, one after the other, and leave nothing that keeps Node running', async t => {
  const server = await startServer(t)
  const guest = await server.register('guest')
  await server.enter('bob', 'general')
  const code = `
    import { renderToStaticMarkup } from 'react-dom/server'
    const fetchToken = async () => '${guest.access_token}'
    ${snippets.join('\n').replaceAll('http://localhost:8080', server.origin)}
    console.log(renderToStaticMarkup(app))
    await parley.disconnect()`
  const { stdout, stderr } = await runSnippets(t, 'client-snippets', code, { loader: 'jsx', jsx: 'automatic' })
  t.equal(stderr, '')
  t.match(stdout, 'true invalid_channel_name', 'errors say what is wrong')
  t.match(stdout, '<p>Ann: Hello, all</p>', 'the message was sent, edited and shown')
})
