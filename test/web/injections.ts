/* eslint-disable no-template-curly-in-string -- Some of these texts look like templates on purpose. */
// Texts that try to become more than text: every payload in every context, and texts that were written by hand.

/** Where a link would lead that must not be one. `\u0001` and the like stand for characters that URL parsers drop. */
const ADDRESSES = [
  'javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'java\tscript:alert(1)', '\u0001javascript:alert(1)',
  'javascript&colon;alert(1)',
  '&#106;avascript:alert(1)', '&#x6A;avascript:alert(1)', 'javascript&#58;alert(1)', 'javascript://example.org/%0aalert(1)',
  'data:text/html,<script>alert(1)</script>', 'data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==', 'vbscript:msgbox(1)',
  'blob:https://example.org/1', 'file:///etc/passwd', '//evil.example/x', 'about:blank', 'ftp://evil.example/',
  'view-source:https://evil.example/',
  'http:javascript:alert(1)', 'https:alert(1)', 'https://user:secret@evil.example/', 'https://"onmouseover=alert(1)//',
  "https://'onclick='alert(1)",
  'https://example.org/"><script>alert(1)</script>', 'https://example.org/\u202egnp.exe', 'https://example.org/`${alert(1)}`',
  'https://[::1',
  'https://example.org/%00%0a<svg/onload=alert(1)>', 'https://a.example/?q=javascript:alert(1)', 'feed:javascript:alert(1)',
  'jar:https://evil.example!/'
]

/** Elements and attributes that would run something or load something. */
const ELEMENTS = [
  '<script>alert(1)</script>', '<SCRIPT SRC=//evil.example/x.js></SCRIPT>', '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<img src=x onerror=alert(1)>', '<img src="//evil.example/pixel.png">', '<svg onload=alert(1)>', '<svg><script>alert(1)</script></svg>',
  '<svg><animate onbegin=alert(1) attributeName=x dur=1s>', '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
  '<iframe src=javascript:alert(1)>',
  '<iframe srcdoc="<script>alert(1)</script>">', '<object data=javascript:alert(1)>', '<embed src=javascript:alert(1)>',
  '<base href=//evil.example/>',
  '<link rel=stylesheet href=//evil.example/x.css>', '<style>@import "//evil.example/x.css"</style>',
  '<meta http-equiv=refresh content="0;url=//evil.example">',
  '<form action=//evil.example><button>x</button></form>', '<input autofocus onfocus=alert(1)>', '<details open ontoggle=alert(1)>',
  '<video><source onerror=alert(1)></video>', '<body onload=alert(1)>', '<a href="javascript:alert(1)">x</a>',
  '<p style="background:url(//evil.example)">x</p>',
  '<template><script>alert(1)</script></template>', '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<!--><script>alert(1)</script>-->',
  '<![CDATA[<script>alert(1)</script>]]>', '<?xml version="1.0"?><script/>', '&lt;script&gt;alert(1)&lt;/script&gt;',
  '\\<script>alert(1)\\</script>',
  '"><script>alert(1)</script>', "'-alert(1)-'", '${alert(1)}', '{{constructor.constructor("alert(1)")()}}', '`${alert(1)}`',
  '__proto__', 'constructor',
  '</textarea><script>alert(1)</script>', '</p></div><script>alert(1)</script>', '\u202e<script>alert(1)</script>\u202c',
  '\u2067\u2066\u202d x', '\u0000<b>x</b>'
]

/** Ways to write a link or to make one look like another. */
const OF_ADDRESSES: Array<(address: string) => string> = [
  address => address,
  address => `[text](${address})`,
  address => `[text](<${address}>)`,
  address => `[text](${address} "title")`,
  address => `![image](${address})`,
  address => `<${address}>`,
  address => `[text][1]\n\n[1]: ${address}`,
  address => `**[*text*](${address})**`,
  address => `> [text](${address})`
]

/** Places in which markup may lead the parser astray. */
const OF_ELEMENTS: Array<(element: string) => string> = [
  element => element,
  element => `**${element}**`,
  element => `\`${element}\``,
  element => `\`\`\`html\n${element}\n\`\`\``,
  element => `\`\`\`${element}\ntext\n\`\`\``,
  element => `> ${element}`,
  element => `[${element}](https://example.org/)`,
  element => `@${element} #${element}`
]

const BY_HAND = [
  '[https://bank.example](https://evil.example)', '[www.bank.example](https://evil.example)', '[a](https://evil.example/) [b]',
  '[[a](https://a.example)](https://b.example)',
  '[a](https://a.example/)(https://b.example/)', '[](https://evil.example)', '[a]()', '[a](  )', '[a]\n(https://evil.example)',
  '](https://evil.example)', '[a](https://evil.example',
  '*_*_*_*_*', '**~~*`_**~~*`_', '`'.repeat(500), '*'.repeat(3000), '_'.repeat(3000), '~'.repeat(3000), '['.repeat(3000),
  '[a]('.repeat(900), '> '.repeat(1500), '>'.repeat(3000),
  '**a '.repeat(900), '*a**b'.repeat(700), '`a``b'.repeat(700), `${'> '.repeat(40)}deep`, `${'*_'.repeat(30)}deep${'_*'.repeat(30)}`,
  'x'.repeat(4000), '\u202e'.repeat(4000),
  'a\u0300'.repeat(1900), '👨‍👩‍👧‍👦'.repeat(500), `https://example.org/${'a'.repeat(3900)}`, `https://${'a.'.repeat(1500)}example/`,
  `https://example.org/${')'.repeat(3900)}`,
  '```\n```', '```\n```\n```', '```js', '``````', '@__proto__', '#constructor', '@constructor @toString @hasOwnProperty',
  '#to-string #valueof',
  '@a\u202eb', '#general\u202e', 'https://xn--pple-43d.example/', 'https://аррӏе.example/', 'http://0x7f.1/', 'HTTPS://EXAMPLE.ORG/',
  'https:\\\\example.org', 'https:///example.org'
]

/** At least 500 different texts, each short enough for a message. */
export const injections: readonly string[] = [...new Set([
  ...ADDRESSES.flatMap(address => OF_ADDRESSES.map(write => write(address))),
  ...ELEMENTS.flatMap(element => OF_ELEMENTS.map(write => write(element))),
  ...BY_HAND
])].filter(text => text.trim() !== '' && !text.includes('\u0000') && [...text].length <= 4000)
