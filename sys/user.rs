// SPDX-License-Identifier: GPL-2.0

//! The memory of an option value, in user space (or, for some setters, the kernel's).

use crate::sys::bindings;
use core::marker::PhantomData;
use core::mem::size_of;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::uaccess::UserPtr;
use kernel::uaccess::UserSlice;

/// What setsockopt() was given.
///
/// # Invariants
///
/// `value` is the caller's `sockptr_t`, valid during `'a`.
pub(crate) struct Given<'a> {
    value: NonNull<bindings::sockptr_t>,
    len: u32,
    lent: PhantomData<&'a bindings::sockptr_t>,
}

impl Given<'_> {
    /// # Safety
    ///
    /// The type invariants hold for `value`.
    pub(in crate::sys) unsafe fn new(value: NonNull<bindings::sockptr_t>, len: u32) -> Self {
        // INVARIANT: by the contract of this function.
        Given { value, len, lent: PhantomData }
    }

    /// The first `N` octets of the value; `None` if it is shorter. EFAULT.
    pub(crate) fn read<const N: usize>(&self) -> Result<Option<[u8; N]>> {
        if (self.len as usize) < N {
            return Ok(None);
        }
        let mut octets = [0; N];
        let to = octets.as_mut_ptr().cast();
        // SAFETY: `to` has room for `N` octets; the function checks what it reads from.
        to_result(unsafe { bindings::shim6_user_read(to, self.value.as_ptr(), N) })?;
        Ok(Some(octets))
    }

    /// Octets that were given.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// All of the value. EFAULT, ENOMEM; the caller limits the length.
    pub(crate) fn read_all(&self) -> Result<KVec<u8>> {
        let mut octets = KVec::from_elem(0, self.len(), GFP_KERNEL)?;
        let to = octets.as_mut_ptr().cast();
        // SAFETY: `to` has room for that many octets; the function checks what it reads from.
        to_result(unsafe { bindings::shim6_user_read(to, self.value.as_ptr(), self.len()) })?;
        Ok(octets)
    }
}

/// What getsockopt() wants filled.
pub(crate) struct Wanted {
    value: UserPtr,
    len_at: UserPtr,
    len: usize,
}

impl Wanted {
    /// Reads how much room there is. EINVAL if it is negative, EFAULT.
    pub(in crate::sys) fn new(value: UserPtr, len_at: UserPtr) -> Result<Self> {
        let len: i32 = UserSlice::new(len_at, size_of::<i32>()).reader().read()?;
        let len = usize::try_from(len).map_err(|_| EINVAL)?;
        Ok(Wanted { value, len_at, len })
    }

    /// Octets of room.
    pub(crate) fn room(&self) -> usize {
        self.len
    }

    /// Writes a value, cut off where the room ends, and its length, as IPv6's and TCP's options
    /// do. EFAULT.
    pub(crate) fn put(&self, value: &[u8]) -> Result {
        let value = value.get(..self.len).unwrap_or(value);
        UserSlice::new(self.value, value.len()).writer().write_slice(value)?;
        let len = i32::try_from(value.len()).map_err(|_| EINVAL)?;
        UserSlice::new(self.len_at, size_of::<i32>()).writer().write(&len)
    }
}
