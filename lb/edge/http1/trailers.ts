import { type FieldTable, fieldNames, scanFields } from './fields.ts';

/** Fields that must not come after the content (RFC 9110 §6.5.1): framing, routing, authentication, forwarding. */
const forbidden =
  /^(content-.*|host|cookie|set-cookie|authorization|www-authenticate|cache-control|expect|range|age|date|location|vary|via|x-forwarded-.*|x-request-id)$/i;

/** Whoever believed one of these after the content would see another end, of it or of the connection: the message is refused. */
const framing = fieldNames(['content-length', 'transfer-encoding', 'connection', 'upgrade']);

/** Of a trailer section, with its empty line, the lines that may be handed on; undefined: it makes the message one to be refused. */
export function keptTrailers(text: string, fields: FieldTable): string | undefined {
  const bytes = Buffer.from(text, 'latin1');
  fields.clear();
  if (scanFields(bytes, 0, 0, bytes.length, fields) !== bytes.length) return undefined;
  let kept = '';
  for (let i = 0; i < fields.count; i++) {
    const name = fields.name(text, i);
    if (fields.isIn(framing, i)) return undefined;
    const isPlain = fields.kind(i) === 'other' || fields.kind(i) === 'etag';
    if (!isPlain || forbidden.test(name)) continue;
    kept += `${name}: ${fields.value(text, i)}\r\n`;
  }
  return kept;
}
