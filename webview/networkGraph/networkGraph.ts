import type { LayerKept } from '../../daemon/protocol/events.js';
import { button, element } from '../page/element.js';
import { count, percent } from '../page/format.js';
import { t } from '../page/strings.js';
import { blocksOf, graphOf, type Graph, type GraphNode, type Layer } from './graph.js';
import { clipped, drawBox, LETTERS, shapeText, svg } from './drawing.js';
import { keptShare, nodeShare, stepOf } from './keptShare.js';
import { legend } from './legend.js';
import { layoutOf, linePath, type Layout } from './layout.js';
import { reasons, shortReason } from './reasons.js';

interface Shown {
  readonly layers: readonly Layer[];
  /** null: no run. */
  readonly kept: ReadonlyMap<string, LayerKept> | null;
}

/**
 * The layers of a model as a picture: boxes in rows, lines from a layer to its readers, the kept share as colour and text, and why units cannot be
 * removed. A list has the same content for screen readers. The arrow keys move along the lines.
 */
export class NetworkGraph {
  readonly root: HTMLElement;
  #picture = svg('svg', {
    class: 'network-picture',
    role: 'listbox',
    'aria-label': t('Layers as a graph'),
  }) as SVGSVGElement;
  #scroll = element('div', { class: 'network-scroll' });
  #panel = element('div', { class: 'network-panel', role: 'region', 'aria-label': t('Chosen layer') });
  #fold: HTMLInputElement;
  #foldLabel: HTMLElement;
  #asList: HTMLButtonElement;
  #shown: Shown = { layers: [], kept: null };
  #graph: Graph = { nodes: [], edges: [] };
  #layout: Layout = layoutOf(this.#graph);
  #blocks: ReadonlyMap<string, readonly Layer[]> = new Map();
  #opened = new Set<string>();
  #boxes: SVGElement[] = [];
  #chosen: string | null = null;
  #key = '';

  /** @param actions buttons for a layer, in the panel. */
  constructor(private readonly actions: (layer: Layer) => HTMLElement[]) {
    this.#fold = element('input', { type: 'checkbox', checked: true, on: { change: () => this.#refold() } });
    this.#foldLabel = element('label', {}, this.#fold, t('Repeated blocks as one'));
    this.#asList = button({ text: t('As a list'), label: t('The same as a list'), class: 'quiet word' }, () => {
      const list = this.#asList.getAttribute('aria-pressed') !== 'true';
      this.#asList.setAttribute('aria-pressed', String(list));
      this.#draw();
    });
    this.#asList.setAttribute('aria-pressed', 'false');
    this.root = element(
      'section',
      { class: 'card network-card', 'aria-labelledby': 'title-network' },
      element(
        'header',
        {},
        element('h2', { id: 'title-network', text: t('Network') }),
        element('div', { class: 'card-actions' }, this.#foldLabel, this.#asList),
      ),
      legend(),
      this.#scroll,
      this.#panel,
    );
    this.#picture.addEventListener('keydown', (event) => this.#keyed(event));
  }

  /** Updates only the changed elements: a run's kept shares change from second to second. */
  show(shown: Shown): void {
    this.#shown = shown;
    const key = JSON.stringify(
      shown.layers.map(({ name, className, outputShape, reads, units }) => [
        name,
        className,
        outputShape,
        reads,
        units,
      ]),
    );
    if (key !== this.#key) {
      this.#key = key;
      this.#opened.clear();
      this.#blocks = blocksOf(shown.layers);
      this.#foldLabel.hidden = this.#blocks.size === 0;
      this.#arrange();
    } else this.#draw();
  }

  #refold(): void {
    this.#opened = this.#fold.checked ? new Set() : new Set(this.#blocks.keys());
    this.#arrange();
  }

  /** @param first of a block that is unfolded or folded. */
  #turn(first: string): void {
    if (!this.#opened.delete(first)) this.#opened.add(first);
    this.#fold.checked = this.#opened.size === 0;
    this.#chosen = first;
    this.#arrange();
    this.#focus();
  }

  #arrange(): void {
    this.#graph = graphOf(this.#shown.layers, (first) => this.#opened.has(first));
    this.#layout = layoutOf(this.#graph);
    // The folded block that contains the selected layer is selected instead.
    const holder = this.#graph.nodes.find(({ layers }) => layers.some(({ name }) => name === this.#chosen));
    this.#chosen = (holder ?? this.#graph.nodes[0])?.id ?? null;
    const { width, height, lines, places } = this.#layout;
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
      this.#picture.setAttribute(name, String(value));
    this.#boxes = this.#graph.nodes.map((node, i) => this.#box(node, places[i]!));
    this.#picture.replaceChildren(
      svg(
        'g',
        { class: 'network-lines', 'aria-hidden': 'true' },
        ...lines.map((points) => svg('path', { d: linePath(points) })),
      ),
      ...this.#boxes,
    );
    this.#draw();
  }

  #box(node: GraphNode, place: { x: number; y: number }): SVGElement {
    const box = drawBox(this.#lines(node), place, node.times > 1);
    box.addEventListener('click', () => {
      if (node.times > 1 && this.#chosen === node.id) return this.#turn(node.id);
      this.#choose(node.id);
      return this.#focus();
    });
    box.addEventListener('focus', () => this.#choose(node.id));
    return box;
  }

  /** Updates what depends on the run, the selection and the display options. */
  #draw(): void {
    const list = this.#asList.getAttribute('aria-pressed') === 'true';
    const goWith = new Set(this.#shown.layers.find(({ name }) => name === this.#chosen)?.units?.goWith);
    this.#graph.nodes.forEach((node, i) => {
      const box = this.#boxes[i]!;
      const share = nodeShare(node, this.#shown.kept);
      const chosen = node.id === this.#chosen;
      box.setAttribute('aria-selected', String(chosen));
      box.classList.toggle('goes-with', !chosen && node.layers.some(({ name }) => goWith.has(name)));
      box.setAttribute('tabindex', chosen ? '0' : '-1');
      box.setAttribute('aria-label', this.#label(node));
      box.querySelector('.kept-mark')!.setAttribute('class', `kept-mark ${share ? `step-${stepOf(share.mean)}` : 'none'}`); // prettier-ignore
      box.querySelector('.facts')!.textContent = this.#lines(node)[2]!;
    });
    if (list) this.#scroll.replaceChildren(this.#list());
    else if (this.#picture.parentNode !== this.#scroll) this.#scroll.replaceChildren(this.#picture);
    this.#drawPanel();
  }

  #isPruned(layer: Layer): boolean | null {
    const { kept } = this.#shown;
    return kept === null || kept.size === 0 ? null : kept.has(layer.name);
  }

  /** The three lines of a box. */
  #lines(node: GraphNode): [string, string, string] {
    const [layer] = node.layers;
    const several = node.times > 1;
    const share = nodeShare(node, this.#shown.kept);
    const facts = [share && t('{0} kept', percent(share.mean)), !several && shortReason(layer!)];
    return [
      several
        ? t('{0} layers × {1}', node.layers.length / node.times, node.times)
        : clipped(layer!.name.split('/').at(-1)!, LETTERS - 2),
      clipped(several ? `${layer!.name} …` : `${layer!.className} · ${shapeText(layer!)}`),
      clipped(facts.filter(Boolean).join(' · ')),
    ];
  }

  /** The box's text, and the rest of what is known. */
  #label(node: GraphNode): string {
    const [layer] = node.layers;
    const rest =
      node.times > 1
        ? [t('from {0} to {1}', node.id, node.layers.at(-1)!.name), t('Enter opens them')]
        : [layer!.name, ...this.#more(layer!)];
    return [this.#lines(node).join(' ').trim(), ...rest].join(' · ');
  }

  #more(layer: Layer): string[] {
    const reads = layer.reads.length > 0 ? [t('reads {0}', layer.reads.join(', '))] : [];
    return [...reads, ...reasons(layer, this.#isPruned(layer))];
  }

  #layerText(layer: Layer): string {
    const share = keptShare(layer, this.#shown.kept?.get(layer.name));
    const kept = share === null ? [] : [t('{0} kept', percent(share))];
    return [`${layer.name}, ${layer.className}, ${t('output {0}', shapeText(layer))}`, ...kept, ...this.#more(layer)].join(' · '); // prettier-ignore
  }

  /** Every layer, folded or not. */
  #list(): HTMLElement {
    const list = element('ol', { class: 'network-list', tabindex: '0', 'aria-label': t('Layers as a list') });
    list.append(...this.#shown.layers.map((layer) => element('li', { text: this.#layerText(layer) })));
    return list;
  }

  #drawPanel(): void {
    const node = this.#graph.nodes.find(({ id }) => id === this.#chosen);
    if (!node) return this.#panel.replaceChildren();
    const focused = this.#panel.contains(document.activeElement) && document.activeElement!.getAttribute('data-focus');
    const block = [...this.#blocks].find(([, layers]) => layers.some(({ name }) => name === node.id));
    const turn = (text: string, first: string) => {
      const made = button({ text, label: text }, () => this.#turn(first));
      made.setAttribute('data-focus', 'turn');
      return made;
    };
    const share = nodeShare(node, this.#shown.kept);
    const [layer] = node.layers;
    if (node.times > 1)
      this.#panel.replaceChildren(
        element('h3', { text: t('{0} … {1}', node.id, node.layers.at(-1)!.name) }),
        element('p', {
          text: [
            t('{0} equal blocks of {1} layers', node.times, node.layers.length / node.times),
            share && t('{0} kept, from {1} to {2} in a layer', percent(share.mean), percent(share.least), percent(share.most)),
          ].filter(Boolean).join(' · '),
        }), // prettier-ignore
        element('div', { class: 'controls' }, turn(t('Show these {0} layers', node.layers.length), node.id)),
      );
    else
      this.#panel.replaceChildren(
        element('h3', { text: layer!.name }),
        element('p', {
          text: [
            layer!.className,
            t('output {0}', shapeText(layer!)),
            layer!.params > 0 && t('{0} weights', count(layer!.prunable || layer!.params)),
            share && t('{0} kept', percent(share.mean)),
          ]
            .filter(Boolean)
            .join(' · '),
        }),
        ...reasons(layer!, this.#isPruned(layer!)).map((text) => element('p', { class: 'reason', text })),
        element(
          'div',
          { class: 'controls' },
          ...this.actions(layer!),
          block && turn(t('These {0} layers as one', block[1].length), block[0]),
        ),
      );
    if (focused) this.#panel.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  #choose(id: string): void {
    if (this.#chosen === id) return;
    this.#chosen = id;
    this.#draw();
  }

  #focus(): void {
    const at = this.#graph.nodes.findIndex(({ id }) => id === this.#chosen);
    this.#boxes[at]?.focus();
    this.#boxes[at]?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  #keyed(event: KeyboardEvent): void {
    const { nodes, edges } = this.#graph;
    const { places } = this.#layout;
    const now = nodes.findIndex(({ id }) => id === this.#chosen);
    if (now < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      if (nodes[now]!.times > 1) this.#turn(nodes[now]!.id);
      return;
    }
    const row = nodes.flatMap((_, i) => (places[i]!.row === places[now]!.row ? [i] : [])).sort((a, b) => places[a]!.x - places[b]!.x); // prettier-ignore
    const along = (ends: (number | undefined)[]) => ends.find((end) => end !== undefined);
    const moves: Record<string, number | undefined> = {
      ArrowDown: along([edges.find(([from]) => from === now)?.[1], now + 1]),
      ArrowUp: along([edges.find(([, to]) => to === now)?.[0], now - 1]),
      ArrowLeft: row[row.indexOf(now) - 1],
      ArrowRight: row[row.indexOf(now) + 1],
      Home: 0,
      End: nodes.length - 1,
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const next = nodes[moves[event.key] ?? -1];
    if (!next) return;
    this.#choose(next.id);
    this.#focus();
  }
}
