//! Seeded generators of realistic registry data.
