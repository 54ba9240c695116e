type Child = Node | string | null | undefined | false;

interface Attributes {
  class?: string;
  text?: string;
  /** Handlers by event name. */
  on?: Record<string, (event: Event) => void>;
  [attribute: string]: unknown;
}

/** Creates a DOM element with attributes, handlers and children. It sets no style attribute: the page's CSP forbids it. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'text') node.textContent = String(value);
    else if (name === 'on')
      for (const [event, handler] of Object.entries(value as Record<string, (event: Event) => void>))
        node.addEventListener(event, handler);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Small 16 x 16 icons, drawn in the text colour. */
const ICONS = {
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  play: 'M4 2.5v11l9-5.5z',
  stop: 'M3.5 3.5h9v9h-9z',
  close: 'M4 4l8 8M12 4l-8 8',
  table: 'M2 3h12v10H2zM2 6.5h12M2 9.8h12M6 3v10',
  chart: 'M2.5 2v11.5H14M4.5 11l3-4 2.5 2L13.5 4',
  save: 'M8 2v8M4.8 7L8 10.2 11.2 7M2.5 13.5h11',
  zoom: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  budget: 'M2 4.5h12M2 11.5h12M5 2.5v4M11 9.5v4',
  compare: 'M5 13V5M5 5L2.5 7.5M5 5l2.5 2.5M11 3v8M11 11l-2.5-2.5M11 11l2.5-2.5',
  warning: 'M8 2l6.5 11.5h-13zM8 6.5v3.5M8 11.3v.9',
} as const;
export type Icon = keyof typeof ICONS;

export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [key, value] of [
    ['viewBox', '0 0 16 16'],
    ['width', '16'],
    ['height', '16'],
    ['aria-hidden', 'true'],
    ['class', name === 'pause' || name === 'play' || name === 'stop' ? 'icon solid' : 'icon'],
  ] as const)
    svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon, a text, or both; `label` is its accessible name and tooltip. */
export function button(
  options: { icon?: Icon; text?: string; label: string; class?: string; id?: string },
  press: () => void,
): HTMLButtonElement {
  return element(
    'button',
    {
      type: 'button',
      class: options.class ?? '',
      title: options.label,
      id: options.id,
      'aria-label': options.text ? undefined : options.label,
      on: { click: press },
    },
    options.icon && icon(options.icon),
    options.text && element('span', { text: options.text }),
  );
}
