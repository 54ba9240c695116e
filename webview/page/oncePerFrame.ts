/** Longer than any press that is a click. */
import { LIMITS } from './limits.js';

/**
 * The press of a button lasts from the pointer's going down until its click has been dispatched. A click goes to an element that was there at both
 * moments: elements that are redrawn in between get none.
 */
let press: Promise<void> | null = null;

function watchPresses(): void {
  addEventListener(
    'pointerdown',
    (event) => {
      if (!(event.target instanceof Element) || !event.target.closest('button, a, summary, [role="row"]')) return;
      const own = new Promise<void>((resolve) => {
        // In a later task: the click follows directly after the pointer's going up.
        const end = () => setTimeout(resolve);
        addEventListener('pointerup', end, { once: true, capture: true });
        addEventListener('pointercancel', end, { once: true, capture: true });
        setTimeout(resolve, LIMITS.longestPress);
      });
      press = own;
      void own.then(() => {
        if (press === own) press = null;
      });
    },
    true,
  ); // prettier-ignore
}
let watching = false;

/** Combines several calls within a frame into one call of `render`, which waits while a button is pressed. */
export function oncePerFrame(render: () => void): () => void {
  if (!watching) watchPresses();
  watching = true;
  let queued = false;
  const draw = () => {
    if (press) return void press.then(() => requestAnimationFrame(draw));
    queued = false;
    render();
  };
  return () => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(draw);
  };
}
