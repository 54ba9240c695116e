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

/** Dashes and markers repeat what colours say, so that nothing is told by colour alone. */
export const DASHES: readonly number[][] = [[], [6, 3], [2, 3], [10, 3, 2, 3]];
export const SHAPES = ['circle', 'square', 'triangle', 'diamond', 'cross', 'star'] as const;
export type Shape = (typeof SHAPES)[number];

const PALETTE = ['blue', 'orange', 'green', 'purple', 'red', 'yellow'];
/** The High Contrast themes' orange is dark brown, or another blue. */
const HIGH_CONTRAST_PALETTE = ['blue', 'yellow', 'green', 'purple', 'red', 'orange'];

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string, fallback: string) => style.getPropertyValue(`--vscode-${name}`).trim() || fallback;
  const kind = document.body.className;
  const highContrast = kind.includes('vscode-high-contrast');
  const foreground = read('editor-foreground', read('foreground', '#888'));
  return {
    foreground,
    muted: highContrast ? foreground : read('descriptionForeground', foreground),
    grid: highContrast ? read('contrastBorder', foreground) : read('charts-lines', 'rgba(128,128,128,0.5)'),
    background: read('editor-background', 'transparent'),
    font: `11px ${read('font-family', 'sans-serif')}`,
    highContrast,
    reducedMotion:
      document.body.classList.contains('vscode-reduce-motion') ||
      matchMedia('(prefers-reduced-motion: reduce)').matches,
    palette: (highContrast ? HIGH_CONTRAST_PALETTE : PALETTE).map((name) => read(`charts-${name}`, foreground)),
  };
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
