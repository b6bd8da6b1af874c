import type { Operation } from './operation.ts';

/** All operations on one page, for people. */
export function docsPage(operations: readonly Operation[]): string {
  const row = ({ method, path, summary, query = [] }: Operation) =>
    `<tr><td>${method.toUpperCase()}</td><td><code>${escaped(path)}</code></td><td>${escaped(summary)}</td>` +
    `<td>${query.map(escaped).join(', ')}</td></tr>`;
  return page(
    'API',
    `<p>As a document for programs: <a href="/docs/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<table><tr><th>method</th><th>path</th><th>what it does</th><th>query</th></tr>
${operations.map(row).join('\n')}
</table>`,
  );
}

/** Where to find what, until there is a console. */
export function linksPage(): string {
  const links = [
    ['/docs', 'the API'],
    ['/v2/apps', 'apps'],
    ['/v2/groups', 'groups'],
    ['/v2/deployments', 'deployments'],
    ['/v2/queue', 'what waits to be launched'],
    ['/v1/nodes', 'agents'],
    ['/v2/info', 'about this master'],
    ['/metrics', 'metrics'],
  ];
  const items = links.map(([url, text]) => `<li><a href="${url}">${text}</a></li>`).join('\n');
  return page('Weir', `<p>There is no console yet. What can be read:</p>\n<ul>\n${items}\n</ul>`);
}

function page(title: string, body: string): string {
  const style = 'body{font:16px sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:left}';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${style}</style></head>
<body><h1>${title}</h1>
${body}
</body></html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
