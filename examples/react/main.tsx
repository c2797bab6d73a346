import { StrictMode, useEffect, useRef, useState, type FormEvent } from 'react'
import { createRoot } from 'react-dom/client'
import { createParley } from '@parley/client'
import { ParleyProvider, useChannel, useReadable } from '@parley/client/react'

const CHANNELS = ['general', 'random']

const server = new URLSearchParams(location.search).get('server') ?? location.origin
// Without a token the client is a guest.
const parley = createParley({ url: server, token: () => null })

function App () {
  const [name, setName] = useState(CHANNELS[0]!)
  const connection = useReadable(parley)
  useEffect(() => {
    parley.connect()
    return () => { parley.disconnect() }
  }, [])
  return (
    <main>
      <header>
        <nav aria-label='Channels'>
          {CHANNELS.map(each =>
            <button key={each} aria-current={each === name ? 'page' : undefined} onClick={() => setName(each)}>#{each}</button>)}
        </nav>
        <span role='status'>{connection.state === 'online' ? connection.user.username : connection.state}</span>
      </header>
      <Room key={name} name={name} />
    </main>
  )
}

function Room ({ name }: { name: string }) {
  const { channel, messages, outbox, typing, error } = useChannel(name)
  const { count } = useReadable(channel.presence)
  const [text, setText] = useState('')
  const end = useRef<HTMLLIElement>(null)
  useEffect(() => { end.current?.scrollIntoView() }, [messages, outbox])

  function send (event: FormEvent): void {
    event.preventDefault()
    channel.send(text)
    setText('')
  }

  return (
    <>
      <ol aria-label={`Messages in ${name}`} tabIndex={0}>
        {messages.map(({ id, username, message }) => <li key={id}><b>{username}</b> {message ?? <i>deleted</i>}</li>)}
        {outbox.map(({ clientId, text, state }) =>
          <li key={clientId} className='waiting'>
            {text} {state === 'failed' ? <button onClick={() => channel.resend(clientId)}>Send again</button> : '…'}
          </li>)}
        <li ref={end} aria-hidden />
      </ol>
      <form onSubmit={send}>
        <input
          aria-label='Message' placeholder='Message' autoComplete='off' maxLength={4000} required value={text}
          onChange={event => { setText(event.target.value); channel.typing() }}
        />
        <button>Send</button>
      </form>
      <p>{error?.message ?? (typing.length > 0 ? `${typing.map(({ username }) => username).join(', ')} …` : `${count} online`)}</p>
    </>
  )
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <ParleyProvider client={parley}><App /></ParleyProvider>
  </StrictMode>
)
