// Bodies around JSON text that stays as it was written: numbers keep their digits.

/** The head of a body with `fields`: everything but the payload and the closing brace. */
export function payloadHead(fields) {
  const inside = JSON.stringify(fields).slice(0, -1);
  return `${inside}${inside === '{' ? '' : ','}"payload":`;
}
