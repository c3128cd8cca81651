//! Event listeners that are removed when their guard is dropped.

use wasm_bindgen::{JsCast, closure::Closure};
pub(crate) use web_sys::Event as Happening;
use web_sys::{AddEventListenerOptions, EventTarget};

/// One function that listens to several events of the window.
pub(crate) struct Listener {
    names: &'static [&'static str],
    closure: Closure<dyn FnMut(Happening)>,
}

/// Listens, passively and in the capture phase: a page that stops an event hides nothing.
/// Events of the document (`visibilitychange`) pass the window too.
pub(crate) fn on(
    names: &'static [&'static str],
    handler: impl FnMut(Happening) + 'static,
) -> Option<Listener> {
    let window = web_sys::window()?;
    let closure = Closure::<dyn FnMut(Happening)>::new(handler);
    let options = AddEventListenerOptions::new();
    options.set_capture(true);
    options.set_passive(true);
    for name in names {
        let _ = window.add_event_listener_with_callback_and_add_event_listener_options(
            name,
            closure.as_ref().unchecked_ref(),
            &options,
        );
    }
    Some(Listener { names, closure })
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Some(window) = web_sys::window() else {
            return;
        };
        let target: &EventTarget = &window;
        for name in self.names {
            let _ = target.remove_event_listener_with_callback_and_bool(
                name,
                self.closure.as_ref().unchecked_ref(),
                true,
            );
        }
    }
}
