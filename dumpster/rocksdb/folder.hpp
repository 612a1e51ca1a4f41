#pragma once

#include <filesystem>

#include "dumpster/error.hpp"

namespace dumpster::rocks {

/// The folder of a store: a file `FORMAT` that says what it is, and the database in `db`. With that file
/// another program's folder, or a newer store, is known before anything opens it.
struct Folder {
  std::filesystem::path path;

  std::filesystem::path database() const { return path / "db"; }
  std::filesystem::path format_file() const { return path / "FORMAT"; }
  /// Where a backup begins. Nothing in it counts; left by an interrupted one, it goes at the next start.
  std::filesystem::path backing_up() const { return path / "backing-up"; }
};

enum class FolderState {
  fresh,     ///< nothing is in it, or its making was interrupted before anything was accepted
  complete,  ///< a store of this format
  backup,    ///< a copy of one, made by `make_backup` and not yet opened by a hub
};

/// Looks at the folder and changes nothing. Refused: a folder that holds something else, a newer format, a
/// store whose database is not there.
Result<FolderState> inspect(const Folder& folder);

/// Makes the folder and says durably in its file that a store is being made.
Result<void> begin_creation(const Folder& folder);

/// Says durably that the store is complete. From now on a missing database is an error, not a fresh start.
Result<void> finish_creation(const Folder& folder);

/// Says durably that the store is of this program's format, so that an older program refuses it from now on.
Result<void> raise_format(const Folder& folder, FolderState state);

/// Makes the folder (0700), which then says that it is of no use yet.
Result<void> begin_backup(const Folder& folder);
/// Says durably that the folder holds a backup.
Result<void> finish_backup(const Folder& folder);
/// Brings a file, or the names in a folder, to stable storage.
Result<void> sync_path(const std::filesystem::path& path);

/// Whether another process has the database open.
bool in_use(const Folder& folder);

}  // namespace dumpster::rocks
