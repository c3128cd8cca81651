//! Tells of `pushState` and `replaceState`, until it is dropped.

use crate::views::Change;
use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

type Wrapper = Closure<dyn FnMut(JsValue, JsValue, JsValue) -> Result<JsValue, JsValue>>;

/// One wrapped method of `history`.
pub(crate) struct Patch {
    history: JsValue,
    name: JsValue,
    original: JsValue,
    wrapper: Option<Wrapper>,
}

/// Wraps both methods; `moved` runs after each call that succeeded.
pub(crate) fn watch(moved: fn(Change)) -> Option<[Patch; 2]> {
    let history: JsValue = web_sys::window()?.history().ok()?.into();
    let push = wrap(&history, "pushState", Change::Moved, moved)?;
    let replace = wrap(&history, "replaceState", Change::Replaced, moved)?;
    Some([push, replace])
}

fn wrap(history: &JsValue, name: &str, change: Change, moved: fn(Change)) -> Option<Patch> {
    let name = JsValue::from_str(name);
    let original = Reflect::get(history, &name).ok()?;
    let inner: Function = original.clone().dyn_into().ok()?;
    let this = history.clone();
    let wrapper = Wrapper::new(move |state, title, url| {
        let result = inner.call3(&this, &state, &title, &url)?;
        moved(change);
        Ok(result)
    });
    Reflect::set(history, &name, wrapper.as_ref()).ok()?;
    Some(Patch { history: history.clone(), name, original, wrapper: Some(wrapper) })
}

impl Drop for Patch {
    fn drop(&mut self) {
        let Some(wrapper) = self.wrapper.take() else {
            return;
        };
        let current = Reflect::get(&self.history, &self.name).ok();
        if current.as_ref() == Some(wrapper.as_ref()) {
            // The original usually lives on the prototype; where it does not, it is put back.
            let _ = Reflect::delete_property(self.history.unchecked_ref::<Object>(), &self.name);
            if Reflect::get(&self.history, &self.name).ok().as_ref() != Some(&self.original) {
                let _ = Reflect::set(&self.history, &self.name, &self.original);
            }
        } else {
            // Someone wrapped the wrapper: it has to go on answering.
            wrapper.forget();
        }
    }
}
