//! Buffers that come back: the memory of a dropped Arrow array serves the next batch.
//!
//! Fresh buffers for every batch cost a page fault per 4 KiB, because the allocator gives large blocks back to the
//! system. Recycling them was the largest single gain measured in the prototypes (1.3 to 1.9 times).

use std::mem::size_of;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer, ToByteSlice};
use bytes::Bytes;

/// Buffers smaller than this, in bytes, are left to the allocator, which is quicker for them.
pub const MIN_RETAINED_BYTES: usize = 4096;

/// What [`Pools::default`] keeps at most, in bytes.
pub const DEFAULT_RETAINED_BYTES: usize = 64 << 20;

/// A free buffer larger than this many times the request is left for a larger request.
const MAX_WASTE: usize = 8;

/// A bounded, thread-safe store of free `Vec<T>`.
///
/// Clones share the same store. The store may be dropped before the arrays made from it; their memory is then freed.
#[derive(Debug)]
pub struct Pool<T> {
    shelf: Arc<Shelf<T>>,
}

impl<T: ArrowNativeType> Pool<T> {
    /// A pool that keeps at most `max_retained_bytes` of free memory. Memory in use is not counted.
    #[must_use]
    pub fn new(max_retained_bytes: usize) -> Self {
        Self::sharing(Arc::new(Budget::new(max_retained_bytes)))
    }

    /// An empty vector with room for at least `capacity` elements, recycled if one of a fitting size is free.
    #[must_use]
    pub fn get(&self, capacity: usize) -> Vec<T> {
        if capacity.saturating_mul(size_of::<T>()) < MIN_RETAINED_BYTES {
            return Vec::with_capacity(capacity);
        }
        self.shelf.take(capacity).unwrap_or_else(|| {
            // Rounded up, so that batches of slightly different size find each other's buffers.
            Vec::with_capacity(capacity.checked_next_power_of_two().unwrap_or(capacity))
        })
    }

    /// Gives a vector back without having made an array of it.
    pub fn put(&self, vector: Vec<T>) {
        self.shelf.put(vector);
    }

    /// Makes an Arrow buffer of a vector, without a copy; when its last owner drops it the memory returns to the pool.
    #[must_use]
    pub fn freeze(&self, vector: Vec<T>) -> Buffer {
        if vector.capacity().saturating_mul(size_of::<T>()) < MIN_RETAINED_BYTES {
            return Buffer::from_vec(vector);
        }
        let shelf = Arc::downgrade(&self.shelf);
        Buffer::from(Bytes::from_owner(Lease { vector, shelf }))
    }

    /// The same as [`Pool::freeze`], typed.
    #[must_use]
    pub fn freeze_scalar(&self, vector: Vec<T>) -> ScalarBuffer<T> {
        // The buffer starts where the Vec<T> did, so it is aligned for T.
        ScalarBuffer::from(self.freeze(vector))
    }

    /// Bytes of free memory kept now, in all pools that share this one's limit.
    #[must_use]
    pub fn retained_bytes(&self) -> usize {
        self.shelf.budget.retained.load(Ordering::Relaxed)
    }

    fn sharing(budget: Arc<Budget>) -> Self {
        Self { shelf: Arc::new(Shelf { free: Mutex::new(Vec::new()), budget }) }
    }
}

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self { shelf: Arc::clone(&self.shelf) }
    }
}

/// One [`Pool`] for each element type, under one common limit. A cheap handle: clones share the memory.
///
/// ```
/// use fenhe_kernels::{Pools, PrimitiveColumn};
/// use arrow_schema::DataType;
///
/// let pools = Pools::default();
/// let mut ages = PrimitiveColumn::<i32>::new(&pools, 8192);
/// ages.append(41);
/// ages.append_null();
/// let array = ages.finish(&DataType::Int32)?;
/// assert_eq!((array.len(), array.null_count()), (2, 1));
/// # Ok::<(), fenhe_kernels::WrongType>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pools {
    shelves: Arc<Shelves>,
}

impl Pools {
    /// Pools that together keep at most `max_retained_bytes` of free memory.
    #[must_use]
    pub fn new(max_retained_bytes: usize) -> Self {
        Self { shelves: Arc::new(Shelves::new(&Arc::new(Budget::new(max_retained_bytes)))) }
    }

    /// The pool for elements of type `T`.
    #[inline]
    #[must_use]
    pub fn of<T: PoolElement>(&self) -> &Pool<T> {
        T::pool(self)
    }

    /// Bytes of free memory kept now.
    #[must_use]
    pub fn retained_bytes(&self) -> usize {
        self.of::<u8>().retained_bytes()
    }
}

impl Default for Pools {
    fn default() -> Self {
        Self::new(DEFAULT_RETAINED_BYTES)
    }
}

/// An element type that [`Pools`] has a pool for.
pub trait PoolElement: ArrowNativeType + sealed::Sealed {
    /// This type's pool.
    fn pool(pools: &Pools) -> &Pool<Self>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! elements {
    ($($element:ident)*) => {
        #[derive(Debug)]
        struct Shelves { $($element: Pool<$element>,)* }

        impl Shelves {
            fn new(budget: &Arc<Budget>) -> Self {
                Self { $($element: Pool::sharing(Arc::clone(budget)),)* }
            }
        }

        $(
            impl sealed::Sealed for $element {}
            impl PoolElement for $element {
                #[inline]
                fn pool(pools: &Pools) -> &Pool<Self> { &pools.shelves.$element }
            }
        )*
    };
}

elements!(u8 u16 u32 u64 i8 i16 i32 i64 i128 f32 f64);

#[derive(Debug)]
struct Budget {
    limit: usize,
    retained: AtomicUsize,
}

impl Budget {
    fn new(limit: usize) -> Self {
        Self { limit, retained: AtomicUsize::new(0) }
    }

    fn reserve(&self, bytes: usize) -> bool {
        let more = |kept: usize| kept.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.retained.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn release(&self, bytes: usize) {
        self.retained.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Shelf<T> {
    /// Oldest first.
    free: Mutex<Vec<Vec<T>>>,
    budget: Arc<Budget>,
}

impl<T> Shelf<T> {
    fn take(&self, capacity: usize) -> Option<Vec<T>> {
        let most = capacity.saturating_mul(MAX_WASTE);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (best, _) = free
            .iter()
            .enumerate()
            .filter(|(_, vector)| (capacity..=most).contains(&vector.capacity()))
            .min_by_key(|(_, vector)| vector.capacity())?;
        let vector = free.remove(best);
        self.budget.release(footprint(&vector));
        Some(vector)
    }

    fn put(&self, mut vector: Vec<T>) {
        vector.clear();
        let bytes = footprint(&vector);
        if bytes < MIN_RETAINED_BYTES || bytes > self.budget.limit {
            return;
        }
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        // The oldest go first: sizes that are no longer asked for must not block the ones that are.
        while !self.budget.reserve(bytes) {
            if free.is_empty() {
                return;
            }
            self.budget.release(footprint(&free.remove(0)));
        }
        free.push(vector);
    }
}

impl<T> Drop for Shelf<T> {
    fn drop(&mut self) {
        let free = self.free.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.budget.release(free.iter().map(footprint).sum());
    }
}

/// A vector on loan to an Arrow buffer.
struct Lease<T: ArrowNativeType> {
    vector: Vec<T>,
    shelf: Weak<Shelf<T>>,
}

impl<T: ArrowNativeType> AsRef<[u8]> for Lease<T> {
    fn as_ref(&self) -> &[u8] {
        self.vector.as_slice().to_byte_slice()
    }
}

impl<T: ArrowNativeType> Drop for Lease<T> {
    fn drop(&mut self) {
        if let Some(shelf) = self.shelf.upgrade() {
            shelf.put(std::mem::take(&mut self.vector));
        }
    }
}

fn footprint<T>(vector: &Vec<T>) -> usize {
    vector.capacity().saturating_mul(size_of::<T>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_returns_to_the_pool_when_the_array_is_dropped() {
        let pool = Pool::<i64>::new(1 << 20);
        let mut first = pool.get(1000);
        first.extend(0..1000);
        let address = first.as_ptr();
        let buffer = pool.freeze_scalar(first);
        assert_eq!(buffer.as_ptr(), address);
        assert_eq!((pool.retained_bytes(), buffer[999]), (0, 999));
        let slice = buffer.slice(10, 5);
        drop(buffer);
        assert_eq!(pool.retained_bytes(), 0, "a slice still holds the memory");
        drop(slice);
        assert_eq!(pool.retained_bytes(), 1024 * 8);
        let again = pool.get(1000);
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
    }

    #[test]
    fn the_limit_holds_and_the_oldest_leave_first() {
        let pool = Pool::<u8>::new(20_000);
        for size in [8192, 8192, 16384] {
            pool.put(Vec::with_capacity(size));
        }
        assert_eq!(pool.retained_bytes(), 16384);
        pool.put(Vec::with_capacity(30_000));
        assert_eq!(pool.retained_bytes(), 16384, "larger than the limit: not kept");
    }

    #[test]
    fn a_small_request_does_not_take_a_large_buffer() {
        let pool = Pool::<u8>::new(1 << 20);
        pool.put(Vec::with_capacity(1 << 19));
        assert!(pool.get(100).capacity() < 4096);
        assert_eq!(pool.get(5000).capacity(), 8192);
        assert_eq!(pool.get(400_000).capacity(), 1 << 19);
    }

    #[test]
    fn arrays_may_outlive_the_pool() {
        let pools = Pools::new(1 << 20);
        let mut vector = pools.of::<i128>().get(1000);
        vector.push(7);
        let buffer = pools.of::<i128>().freeze_scalar(vector);
        drop(pools);
        assert_eq!(buffer[0], 7);
    }

    #[test]
    fn all_pools_share_one_limit() {
        let pools = Pools::new(10_000);
        pools.of::<u8>().put(Vec::with_capacity(8192));
        pools.of::<i32>().put(Vec::with_capacity(2048));
        assert_eq!(pools.retained_bytes(), 8192);
    }

    #[test]
    fn an_empty_vector_becomes_an_empty_buffer() {
        let pool = Pool::<f64>::new(1 << 20);
        assert!(pool.freeze(pool.get(0)).is_empty());
        assert!(pool.freeze_scalar(pool.get(4096)).is_empty());
    }

    #[test]
    fn threads_share_a_pool() {
        let pool = Pool::<u32>::new(1 << 20);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..50u32 {
                        let mut vector = pool.get(2000);
                        vector.extend([n; 2000]);
                        let buffer = pool.freeze_scalar(vector);
                        assert!(buffer.iter().all(|value| *value == n));
                    }
                });
            }
        });
        assert!((8192..=4 * 8192).contains(&pool.retained_bytes()));
    }
}
