/**
 * The terminal makes style elements and style attributes, which the page's security policy forbids; style sheets and styles that scripts set as objects
 * are allowed. While `work` runs, a style element is one whose text becomes such a sheet; and of spans (its characters) the attribute becomes the object.
 */
export function withoutInlineStyles(work: () => void): void {
  setSpanStylesAsObjects()
  const original = document.createElement.bind(document)
  const createElement = (name: string, options?: ElementCreationOptions): HTMLElement =>
    name === 'style' ? styleSubstitute(original('div')) : original(name, options)
  Object.defineProperty(document, 'createElement', { value: createElement, configurable: true })
  try {
    work()
  } finally {
    // What is left is the prototype's own.
    Reflect.deleteProperty(document, 'createElement')
  }
}

function styleSubstitute(element: HTMLElement): HTMLElement {
  const sheet = new CSSStyleSheet()
  document.adoptedStyleSheets.push(sheet)
  element.hidden = true
  Object.defineProperty(element, 'textContent', {
    set: (text: string) => {
      sheet.replaceSync(text)
    },
  })
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet)
    Element.prototype.remove.call(element)
  }
  return element
}

/** Once for the page. */
function setSpanStylesAsObjects(): void {
  const { prototype } = HTMLSpanElement
  if (Object.hasOwn(prototype, 'setAttribute')) return
  prototype.setAttribute = function setAttribute(name: string, value: string): void {
    if (name === 'style') this.style.cssText = value
    else Element.prototype.setAttribute.call(this, name, value)
  }
}
