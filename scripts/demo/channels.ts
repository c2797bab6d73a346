import type { ChannelType } from '../../src/schemas/common.ts'
import type { Rhythm } from './calendar.ts'

/** A channel of the demo, before anybody is in it. */
export interface ChannelPlan {
  name: string
  type: ChannelType
  topic: string
  /** Files of `talk/` that its conversations come from, each as often as it is named. */
  talk: string[]
  rhythm: Rhythm
  /** Its share of the messages, compared with the other channels. */
  share: number
  /** Which part of all people are members, from 0 to 1. */
  reach: number
  /** Its members are those who speak this language, and a few who learn it. */
  language?: string
}

/** The channel in which the quarrel breaks out. */
export const QUARREL_CHANNEL = 'code-review'

const aside = ['short', 'revisit']

/** All channels. A demo with fewer channels has the first ones, so these show all kinds. */
export const channelPlans: ChannelPlan[] = [
  {
    name: 'general', type: 'public', topic: 'Everything and everybody. Opening hours: https://demo.example/hours',
    rhythm: 'any', share: 15, reach: 1,
    talk: [
      'smalltalk', 'smalltalk', 'smalltalk', 'kitchen', 'garden', 'books', 'films', 'music', 'bikes', 'travel', 'pets', 'repair', 'market',
      'games', 'german', 'french', 'spanish', 'arabic', 'hebrew', 'japanese', ...aside
    ]
  },
  {
    name: QUARREL_CHANNEL, type: 'public', topic: 'Ask for a second pair of eyes. Be kind to the author, and strict with the code.',
    rhythm: 'office', share: 8, reach: 0.3, talk: ['code', 'code', ...aside]
  },
  {
    name: 'garden', type: 'public', topic: 'Allotments, balconies and the compost that smiles 🌱', rhythm: 'morning', share: 6, reach: 0.4,
    talk: ['garden', 'garden', ...aside]
  },
  {
    name: 'organisers', type: 'private', topic: 'Who does what, and until when',
    rhythm: 'office', share: 3, reach: 0.06, talk: ['organising', 'short']
  },
  {
    name: 'help', type: 'public', topic: 'No question is too small. Search first, ask anyway.', rhythm: 'office', share: 8, reach: 0.7,
    talk: ['help', 'help', 'help', ...aside]
  },
  {
    name: 'announcements', type: 'public', topic: 'News for everybody, a few a week', rhythm: 'office', share: 1.5, reach: 0.95,
    talk: ['announcements']
  },
  {
    name: 'random', type: 'public', topic: 'Whatever is left over', rhythm: 'any', share: 11, reach: 0.8,
    talk: ['smalltalk', 'smalltalk', 'pets', 'travel', 'books', 'bikes', ...aside]
  },
  {
    name: 'introductions', type: 'public', topic: 'Say hello 👋', rhythm: 'any', share: 1.6, reach: 0.9, talk: ['introductions']
  },
  {
    name: 'kitchen', type: 'public', topic: 'What is for dinner?',
    rhythm: 'evening', share: 7, reach: 0.45, talk: ['kitchen', 'kitchen', ...aside]
  },
  {
    name: 'film-club', type: 'public', topic: 'Thursdays at eight, bring a cushion 🎬',
    rhythm: 'evening', share: 4, reach: 0.3, talk: ['films', ...aside]
  },
  {
    name: 'running', type: 'public', topic: 'Slow is fine. Talking pace on Sundays.',
    rhythm: 'morning', share: 4, reach: 0.2, talk: ['running', 'short']
  },
  {
    name: 'books', type: 'public', topic: 'This month: *The Winter Ferry*',
    rhythm: 'evening', share: 4, reach: 0.3, talk: ['books', ...aside]
  },
  {
    name: 'releases', type: 'public', topic: 'What is new in the app, and what comes next',
    rhythm: 'office', share: 2, reach: 0.5, talk: ['releases']
  },
  {
    name: 'music', type: 'public', topic: 'Rehearsals, scores and the green folder',
    rhythm: 'evening', share: 3, reach: 0.2, talk: ['music', 'short']
  },
  {
    name: 'bicycle-shed', type: 'public', topic: 'Its colour is still open',
    rhythm: 'any', share: 3, reach: 0.25, talk: ['bikes', ...aside]
  },
  {
    name: 'deutsch', type: 'public', topic: 'Alle, die Deutsch sprechen oder lernen',
    rhythm: 'evening', share: 1.2, reach: 0.2, talk: ['german'], language: 'german'
  },
  {
    name: 'francais', type: 'public', topic: 'On parle français ici',
    rhythm: 'evening', share: 1, reach: 0.14, talk: ['french'], language: 'french'
  },
  {
    name: 'espanol', type: 'public', topic: 'Hablamos español, despacio si hace falta',
    rhythm: 'evening', share: 1, reach: 0.14, talk: ['spanish'], language: 'spanish'
  },
  {
    name: 'al-maqha', type: 'public', topic: 'المقهى: أهلًا وسهلًا بالجميع',
    rhythm: 'evening', share: 0.5, reach: 0.09, talk: ['arabic'], language: 'arabic'
  },
  {
    name: 'ha-mirpeset', type: 'public', topic: 'המרפסת: מדברים עברית',
    rhythm: 'evening', share: 0.4, reach: 0.07, talk: ['hebrew'], language: 'hebrew'
  },
  {
    name: 'nihongo', type: 'public', topic: '日本語で話しましょう',
    rhythm: 'any', share: 0.5, reach: 0.09, talk: ['japanese'], language: 'japanese'
  },
  {
    name: 'photography', type: 'public', topic: 'This week: the bridge in fog',
    rhythm: 'evening', share: 2.5, reach: 0.2, talk: ['photos', 'short']
  },
  {
    name: 'travel', type: 'public', topic: 'Night trains, slow ferries, good socks',
    rhythm: 'any', share: 2.5, reach: 0.25, talk: ['travel', 'revisit']
  },
  {
    name: 'pets', type: 'public', topic: '🐈 🐇 🐢',
    rhythm: 'any', share: 3, reach: 0.3, talk: ['pets', 'short']
  },
  {
    name: 'board-games', type: 'public', topic: 'Tuesdays and Fridays. The biscuit is taken.',
    rhythm: 'evening', share: 2.5, reach: 0.2, talk: ['games', 'short']
  },
  {
    name: 'marketplace', type: 'public', topic: 'Sell, swap, give away',
    rhythm: 'any', share: 2.5, reach: 0.5, talk: ['market']
  },
  {
    name: 'saturday-repair-cafe-and-tool-library-planning', type: 'public',
    topic: 'Every second Saturday, ten to four. Nothing is beyond hope.',
    rhythm: 'office', share: 2.5, reach: 0.15, talk: ['repair', 'short']
  },
  {
    name: 'newsletter-drafts', type: 'private', topic: 'Deadline is the 20th. It is always the 20th.',
    rhythm: 'office', share: 1.2, reach: 0.04,
    talk: ['organising', 'announcements']
  },
  {
    name: 'surprise-party', type: 'private', topic: 'Not a word to anybody 🤫',
    rhythm: 'evening', share: 0.8, reach: 0.08, talk: ['organising', 'kitchen']
  },
  {
    name: 'moderator-lounge', type: 'moderator', topic: 'Friendly first', rhythm: 'office', share: 0.5, reach: 0, talk: ['moderation']
  }
]
