import { useReadable } from '@parley/client/react'
import { parley } from '../client.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { count, ms } from './format.ts'
import { a } from './text.ts'
import { useTrace, type Traced } from './use-trace.ts'

/** When each message of a channel was where on its way through the instance. */
export function Trace () {
  const { seconds, messages, start, stop } = useTrace()
  const { state } = useReadable(parley)
  const isTracing = seconds > 0
  return (
    <>
      <div class='admin-narrow'>
        <Form
          action={a.trace.start} at={{ channel_not_found: 'channel' }}
          send={({ channel }) => start(channel!.trim().replace(/^#/, ''))}
          more={isTracing && <Button onClick={stop}>{a.trace.stop}</Button>}
        >
          {errorOf => (
            <Field
              label={a.trace.channel} name='channel' hint={a.trace.logged} required autocomplete='off' spellcheck={false}
              error={errorOf('channel')}
            />
          )}
        </Form>
      </div>
      {isTracing && <p class='soft'>{state === 'online' ? a.trace.left(seconds) : a.trace.lost}</p>}
      <p class='unseen' role='status'>{messages[0] && a.trace.message(count(messages[0].seq))}</p>
      <div class='traces'>{messages.map(message => <Message key={message.id} message={message} />)}</div>
    </>
  )
}

function Message ({ message: { seq, steps, subscribers, batch } }: { message: Traced }) {
  const whole = steps.at(-1)?.at_ms ?? 0
  const title = a.trace.message(count(seq))
  return (
    <article class='trace' aria-label={title}>
      <h2>{title} <span class='soft small'>{a.trace.took(ms(whole))}</span></h2>
      <Timeline steps={steps} whole={whole} />
      <ol>
        {steps.map(({ step, at_ms: at }) => <li key={step}><span class='soft'>{a.trace.steps[step]}</span> {ms(at)}</li>)}
      </ol>
      <p class='soft small'>{a.trace.about(count(subscribers), count(batch))}</p>
    </article>
  )
}

/** The steps as marks on a line, which is as long as the whole way took. */
function Timeline ({ steps, whole }: { steps: Traced['steps'], whole: number }) {
  const label = a.trace.sentence(steps.map(({ step, at_ms: at }) => `${a.trace.steps[step]} ${ms(at)}`).join(', '))
  const marks = steps.map(({ at_ms: at }) => `M${whole === 0 ? 0 : (at / whole * 1000).toFixed(1)} 2V18`).join('')
  return (
    <svg class='timeline' viewBox='-4 0 1008 20' preserveAspectRatio='none' role='img' aria-label={label}>
      <path class='floor' d='M0 10H1000' /><path d={marks} />
    </svg>
  )
}
