/** The icons, drawn on a grid of 24 by 24 as strokes. */
const paths = {
  add: 'M12 5v14M5 12h14',
  admin: 'M12 3l7 3v5c0 4.6-3 8.2-7 10-4-1.8-7-5.4-7-10V6z',
  back: 'M15 5l-7 7 7 7',
  bell: 'M6 17v-6a6 6 0 0112 0v6l1.5 2h-15zM10 21.5h4',
  block: 'M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM6 6l12 12',
  chart: 'M4 20h16M7 16v-4M12 16V6M17 16v-7',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  clock: 'M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM12 7.5V12l3 2',
  close: 'M6 6l12 12M18 6L6 18',
  compass: 'M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM15.5 8.5l-2 5-5 2 2-5z',
  copy: 'M9 9h10v11H9zM15 9V5H5v11h4',
  down: 'M12 5v13M6 12.5l6 6 6-6',
  edit: 'M4 20l1-4.5L16.5 4 20 7.5 8.5 19zM14 6.5L17.5 10',
  flag: 'M6 21V4M6 5c4-2 7 2 12 0v8c-5 2-8-2-12 0',
  hash: 'M9.5 4l-2 16M16.5 4l-2 16M4.5 9h16M3.5 15h16',
  keyboard: 'M3 6.5h18v11H3zM7 10h.01M10.3 10h.01M13.7 10h.01M17 10h.01M7.5 14h9',
  leave: 'M14 4h5v16h-5M15 12H4M8 8l-4 4 4 4',
  link: 'M10 14a4 4 0 005.6 0l3-3A4 4 0 0013 5.4l-1 1M14 10a4 4 0 00-5.6 0l-3 3A4 4 0 0011 18.6l1-1',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 017 0v3',
  megaphone: 'M4 10v4l12 5V5zM16 9.5a3 3 0 010 5M7 15.5V20h3v-3.5',
  menu: 'M4 7h16M4 12h16M4 17h16',
  moon: 'M19 14.5A7.5 7.5 0 119.5 5a6 6 0 009.5 9.5z',
  more: 'M5 12a.6.6 0 001.2 0 .6.6 0 00-1.2 0M11.4 12a.6.6 0 001.2 0 .6.6 0 00-1.2 0M17.8 12a.6.6 0 001.2 0 .6.6 0 00-1.2 0',
  mute: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5',
  people: 'M9 11.5a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM3 20c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5M15.5 4.800a3.5 3.5 0 010 6.4' +
    'M17.5 15c2.2.6 3.5 2.4 3.5 5',
  person: 'M12 12a4 4 0 100-8 4 4 0 000 8zM4.5 20.5c0-4 3-6 7.5-6s7.5 2 7.5 6',
  reply: 'M9 6l-5 5 5 5M4 11h9c4 0 7 2.5 7 8',
  search: 'M11 4.5a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM16 16l4.5 4.5',
  send: 'M4 12L20 4l-5.5 16-3-6.5zM11.5 13.5L20 4',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
  smile: 'M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM9 9.5v.5M15 9.5v.5M8.5 14c1.7 2.3 5.3 2.3 7 0',
  sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 2.5V5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.300l1.8 1.800M16.9 16.900l1.8 1.800' +
    'M18.7 5.300l-1.8 1.800M7.1 16.900l-1.8 1.8',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 13h8.4L17 7M10.5 11v5M13.5 11v5',
  warning: 'M12 4L2.5 20h19zM12 10v4.5M12 17.200v.1'
}

export type IconName = keyof typeof paths

/** An icon without a name of its own: the control around it has one. */
export function Icon ({ name }: { name: IconName }) {
  return <svg class='icon' viewBox='0 0 24 24' aria-hidden='true'><path d={paths[name]} /></svg>
}
