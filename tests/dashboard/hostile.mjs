// Texts that would be something else than text where somebody forgot about it: 150 of them.
const payloads = ['window.__hit=1', 'alert(1)', 'document.title="x"'];
const markup = [
  js => `<script>${js}</script>`, js => `<img src=x onerror=${js}>`, js => `<svg onload=${js}>`, js => `<svg><script>${js}</script></svg>`, js => `"><img src=x onerror="${js}">`,
  js => `'><svg/onload='${js}'>`, js => `</script><script>${js}</script>`, js => `</title><script>${js}</script>`, js => `</textarea><img src=x onerror=${js}>`, js => `<iframe srcdoc="<script>${js}</script>">`,
  js => `<a href="javascript:${js}">x</a>`, js => `javascript:${js}`, js => `<body onload=${js}>`, js => `<details open ontoggle=${js}>`, js => `<input autofocus onfocus=${js}>`,
  js => `<math><mtext><table><mglyph><style><img src=x onerror=${js}>`, js => `<!--<img src="--><img src=x onerror=${js}//">`, js => `<![CDATA[<script>${js}</script>]]>`, js => `&lt;script&gt;${js}&lt;/script&gt;`, js => `&#60;script&#62;${js}&#60;/script&#62;`,
  js => `\${${js}}`, js => `{{constructor.constructor('${js}')()}}`, js => `{${js}}`, js => `<%= ${js} %>`, js => `#{${js}}`,
  js => `'-${js}-'`, js => `";${js};//`, js => `\`;${js};\``, js => `onclick=${js}`, js => `<b onclick=${js}>x</b>`,
  js => `<object data="javascript:${js}">`, js => `<embed src="javascript:${js}">`, js => `<base href="//evil.example/"><script>${js}</script>`, js => `<meta http-equiv=refresh content="0;url=javascript:${js}">`, js => `<link rel=stylesheet href="data:text/css,*{}"><script>${js}</script>`,
];
const others = [
  '<style>*{display:none}</style>', '<p style="position:fixed;inset:0;background:red">x</p>', '<form action="https://evil.example"><button>Log in</button></form>', '<marquee>x</marquee>', '<plaintext>',
  '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'undefined', 'null', 'NaN', '[object Object]', 'true', '-1', '0', '1e309',
  '{name}', '{n}|{m}', 'one|many', '{word}', '$&', "$'", '$1', '%s%s%n', '%00', '%2e%2e%2f', '../../etc/passwd', 'C:\\x\\y', '\\u003cscript\\u003e',
  '\u202egnp.exe\u202c', '\u2066abc\u2069', '\u200bzero\u200bwidth\u200b', '\ufeffbom', 'e\u0301\u0301\u0301\u0301\u0301', '\u0645\u0631\u062d\u0628\u0627', '\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67', 'W'.repeat(400), '\u0bb9\u0bcd'.repeat(40), 'İıſK',
  "' OR '1'='1", "'; DROP TABLE mcp_users; --", '=HYPERLINK("http://evil.example")', '+cmd|calc', '@SUM(1)',
];
export const HOSTILE = [...markup.flatMap(make => payloads.map(make)), ...others];
