// Small pieces of the document.

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** A new element with properties and children; text becomes text, never markup. */
export function make(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node && key !== 'role') node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== ''));
  return node;
}

/** A button that does something. */
export function button(text, action, className = 'button') {
  const node = make('button', { type: 'button', className }, text);
  node.addEventListener('click', action);
  return node;
}

/** The chosen value of a group of radio buttons. */
export const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`)?.value;

/** Chooses a value of a group of radio buttons. */
export function choose(name, value) {
  const input = document.querySelector(`input[name="${name}"][value="${value}"]`);
  if (input) input.checked = true;
}
