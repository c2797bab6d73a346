import { useSignal } from '@preact/signals'
import { Button, classes } from '../ui/button.tsx'
import { Loading } from '../ui/loading.tsx'
import { exactly, moment } from '../people/times.ts'
import { Chart } from './chart.tsx'
import { groups, type Figure } from './figures.ts'
import { shortId } from './format.ts'
import { KEPT, useStats, type Stats } from './stats.ts'
import { a } from './text.ts'

/** Shows the server's numbers, new ones every second. Where there are several instances, one of them is shown. */
export function Health () {
  const { histories: { value: histories }, failure } = useStats()
  const chosen = useSignal('')
  const ids = [...histories.keys()].sort()
  const shown = histories.has(chosen.value) ? chosen.value : ids[0]
  if (shown === undefined) return failure.value ? <p class='form-error' role='alert'>{failure.value}</p> : <Loading />
  const history = histories.get(shown)!
  const { started_at: start } = history.at(-1)!
  return (
    <>
      {failure.value && <p class='form-error' role='alert'>{failure.value}</p>}
      {ids.length > 1 && (
        <div class='filters' role='group' aria-label={a.health.instances}>
          {ids.map(id => (
            <Button key={id} kind='quiet' aria-pressed={id === shown} onClick={() => { chosen.value = id }}>
              {a.health.instance(shortId(id))}
            </Button>
          ))}
        </div>
      )}
      {groups.map(({ title, figures }) => (
        <section key={title} class='figures'>
          <h2>{title}</h2>
          <ul>{figures.map(figure => <Card key={figure.title} figure={figure} history={history} />)}</ul>
        </section>
      ))}
      <p class='soft small' title={exactly(start)}>{a.health.runsSince(shortId(shown), moment(start))}</p>
    </>
  )
}

function Card ({ figure: { title, lines, format, about, state }, history }: { figure: Figure, history: readonly Stats[] }) {
  const latest = history.at(-1)!
  const condition = state?.(latest)
  return (
    <li class='figure'>
      <h3>{title}{condition && <span class={classes('condition', condition.isGood ? 'good' : 'bad')}>{condition.text}</span>}</h3>
      <dl>
        {lines.map(({ name, of }) => {
          const value = of(latest)
          return (
            <div key={name}>
              <dt class={lines.length === 1 && name === a.health.words.now ? 'unseen' : 'soft small'}>{name}</dt>
              <dd>{value === null ? '–' : format(value)}</dd>
            </div>
          )
        })}
      </dl>
      <Chart
        lines={lines.map(({ name, of }) => ({ name, values: history.map(of) }))} room={KEPT}
        sentence={(line, now, lowest, highest) => a.health.sentence(`${title}, ${line}`, format(now), format(lowest), format(highest))}
      />
      {about && <p class='soft small'>{about(latest)}</p>}
    </li>
  )
}
