/** Colours and fonts of the editor's theme, read from the CSS variables VS Code puts on the page. */
export interface Theme {
  foreground: string;
  muted: string;
  grid: string;
  background: string;
  font: string;
  highContrast: boolean;
  reducedMotion: boolean;
  palette: string[];
}

/** Dashes and markers repeat what colours show, so that no meaning depends on colour alone. */
export const DASHES: readonly number[][] = [[], [6, 3], [2, 3], [10, 3, 2, 3]];
export const SHAPES = ['circle', 'square', 'triangle', 'diamond', 'cross', 'star'] as const;
export type Shape = (typeof SHAPES)[number];

const PALETTE = ['blue', 'orange', 'green', 'purple', 'red', 'yellow'];
/** The colour and the marker of a run on show: no two of the first 72 runs look alike. @param index see RunColours. */
export const runColour = ({ palette }: Theme, index: number): string => palette[index % palette.length]!;
export const runShape = (index: number): Shape => SHAPES[(index + Math.floor(index / COLOURS)) % SHAPES.length]!;

/** The palette's colours by their position around the colour wheel: mixing two neighbours gives more colours. */
const AROUND = [0, 3, 4, 1, 5, 2];
const COLOURS = 2 * AROUND.length;

/** In the High Contrast themes, orange is dark brown, or another blue. */
const HIGH_CONTRAST_PALETTE = ['blue', 'yellow', 'green', 'purple', 'red', 'orange'];
/** Contrast that a graphical object needs against its background (WCAG 2.1, 1.4.11). */
const CONTRAST = 3;

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string, fallback: string) => style.getPropertyValue(`--vscode-${name}`).trim() || fallback;
  const kind = document.body.className;
  const highContrast = kind.includes('vscode-high-contrast');
  const foreground = read('editor-foreground', read('foreground', '#888'));
  const background = read('editor-background', '#888');
  return {
    foreground,
    muted: highContrast ? foreground : read('descriptionForeground', foreground),
    grid: highContrast ? read('contrastBorder', foreground) : read('charts-lines', 'rgba(128,128,128,0.5)'),
    background,
    font: `11px ${read('font-family', 'sans-serif')}`,
    highContrast,
    reducedMotion:
      document.body.classList.contains('vscode-reduce-motion') ||
      matchMedia('(prefers-reduced-motion: reduce)').matches,
    palette: widened(
      (highContrast ? HIGH_CONTRAST_PALETTE : PALETTE).map((name) =>
        legible(read(`charts-${name}`, foreground), background, foreground),
      ),
    ).map((colour) => legible(colour, background, foreground)),
  };
}

/** Red, green and blue, 0 to 255, of a CSS colour on a background: some chart colours are translucent. */
function channels(colour: string, background = colour): [number, number, number] {
  const ctx = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
  ctx.fillStyle = background;
  ctx.fillRect(0, 0, 1, 1);
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, 1, 1);
  const [r, g, b] = ctx.getImageData(0, 0, 1, 1).data;
  return [r!, g!, b!];
}

/** Relative luminance (WCAG 2.1). */
function luminance(rgb: readonly number[]): number {
  const [r, g, b] = rgb.map((value) => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** The contrast of two colours, 1 to 21. */
export function contrast(one: readonly number[], other: readonly number[]): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

/** The colour, mixed with as much of the foreground as it needs to be visible: some themes' chart colours are nearly the background. */
function legible(colour: string, background: string, foreground: string): string {
  const own = channels(colour, background);
  const back = channels(background);
  const fore = channels(foreground);
  for (let share = 0; share < 1; share += 0.1) {
    const mixed = own.map((value, i) => Math.round(value * (1 - share) + fore[i]! * share));
    if (contrast(mixed, back) >= CONTRAST) return share === 0 ? colour : `rgb(${mixed.join(' ')})`;
  }
  return foreground;
}

/** The chart colours, and as many mixed between them. */
function widened(palette: readonly string[]): string[] {
  const around = AROUND.map((at) => channels(palette[at]!));
  const between = around.map((one, i) => {
    const other = around[(i + 1) % around.length]!;
    return `rgb(${one.map((value, channel) => Math.round((value + other[channel]!) / 2)).join(' ')})`;
  });
  return [...palette, ...between];
}

/** Calls back after every change of theme: VS Code changes the body's classes and the root's variables. */
export function observeTheme(changed: (theme: Theme) => void): void {
  let queued = false;
  const observer = new MutationObserver(() => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      changed(readTheme());
    });
  });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}
